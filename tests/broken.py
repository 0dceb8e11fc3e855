"""Videos that cannot be used, and odd ones that can."""

from fractions import Fraction

import av
import cv2
import numpy as np

FRAMES, WIDTH, HEIGHT = 12, 64, 48


def pictures(count=FRAMES, width=WIDTH, height=HEIGHT):
    """A window that moves over noise by a pixel a frame in x and y: uint8 RGB (H, W, 3)."""
    noise = np.random.default_rng(0).integers(0, 255, (height // 4 + 9, width // 4 + 9, 3)).astype(np.uint8)
    noise = cv2.resize(noise, None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR)
    return [np.ascontiguousarray(noise[t : t + height, t : t + width]) for t in range(count)]


def encode(path, codec, pixels="yuv420p", images=None, times=None, options=None, metadata=None):
    """Write RGB pictures with PyAV; ``times`` are their milliseconds, where the frame rate varies."""
    images = pictures() if images is None else images
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixels
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[number], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def sound_only(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        for number in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 44100, 1024 * number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def changing_size(path):
    """Motion JPEG whose pictures shrink to half the size in the middle; they are scaled to the first one's."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        smaller = av.CodecContext.create("mjpeg", "w")
        smaller.width, smaller.height, smaller.pix_fmt = WIDTH // 2, HEIGHT // 2, "yuvj420p"
        smaller.time_base = Fraction(1, 25)
        for number in range(FRAMES):
            encoder, scale = (stream, 1) if number < FRAMES // 2 else (smaller, 2)
            (image,) = pictures(1, WIDTH // scale, HEIGHT // scale)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            for packet in encoder.encode(frame):
                packet.stream, packet.pts, packet.dts = stream, number, number
                container.mux(packet)
    return path


def cut(path, source, share=0.5):
    data = source.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return path


def turned(path, source):
    """The MP4 ``source`` with a display matrix that turns it by 90 degrees."""
    upright = np.array([1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30], ">i4").tobytes()
    turn = np.array([0, 1 << 16, 0, -1 << 16, 0, 0, HEIGHT << 16, 0, 1 << 30], ">i4").tobytes()
    data = source.read_bytes()
    place = data.index(upright, data.index(b"tkhd"))
    path.write_bytes(data[:place] + turn + data[place + len(upright) :])
    return path


def unusable(folder):
    """Write one video for every reason: name -> part of the reason."""
    whole = encode(folder / "whole.mp4", "libx264")
    encode(folder / "whole.avi", "mjpeg", "yuvj420p", pictures(60))
    cut(folder / "half.mp4", whole)
    cut(folder / "half.avi", folder / "whole.avi")
    cut(folder / "header.avi", folder / "whole.avi", 0.01)
    (folder / "whole.avi").unlink()
    whole.unlink()
    (folder / "empty.avi").touch()
    (folder / "text.avi").write_text("not a video\n" * 500)
    cv2.imwrite(str(folder / "picture.jpg"), pictures(1)[0])
    (folder / "picture.jpg").rename(folder / "picture.avi")
    sound_only(folder / "sound.mp4")
    encode(folder / "one.avi", "mjpeg", "yuvj420p", pictures(1))
    encode(folder / "2x2.avi", "mjpeg", "yuvj420p", pictures(width=2, height=2))
    encode(folder / "line.mkv", "ffv1", "yuv444p", pictures(width=37, height=1))
    return {
        "half.mp4": "is not a video that FFmpeg can open, or is truncated",
        "half.avi": " of 60 declared (",
        "header.avi": "is not a video that FFmpeg can open, or is truncated",
        "empty.avi": "is empty (0 bytes)",
        "text.avi": "is not a video that FFmpeg can open, or is truncated",
        "picture.avi": "has one frame only",
        "sound.mp4": "has no video stream",
        "one.avi": "has one frame only, and motion needs two",
        "2x2.avi": "its frames of 2×2 are too small",
        "line.mkv": "its frames of 37×1 are too small",
    }


def odd(folder):
    """Write videos that are out of the ordinary and can be used: name -> (width, height)."""
    plain = encode(folder / "plain.mp4", "libx264")
    plain.rename(folder / "wrong_suffix.avi")
    encode(folder / "plain.mp4", "libx264")
    turned(folder / "turned.mp4", folder / "plain.mp4")
    encode(folder / "10_bit.mp4", "libx264", "yuv420p10le")
    encode(folder / "grey.mkv", "ffv1", "gray")
    encode(folder / "alpha.webm", "libvpx-vp9", "yuva420p")
    encode(folder / "alpha.mov", "qtrle", "argb")
    encode(folder / "odd.mkv", "ffv1", "yuv420p", pictures(width=33, height=17))
    encode(folder / "uneven.mp4", "libx264", times=[t * t * 7 + t * 13 for t in range(FRAMES)])
    encode(folder / "metadata.mkv", "libx264", metadata={"title": "quatre: eeee"})
    raw = (folder / "metadata.mkv").read_bytes()
    assert raw.count(b"eeee") == 1
    (folder / "metadata.mkv").write_bytes(raw.replace(b"eeee", b"\xe9\xff\x80;"))
    changing_size(folder / "sizes.avi")
    (folder / "link.avi").symlink_to("wrong_suffix.avi")
    sizes = dict.fromkeys((file.name for file in folder.iterdir()), (WIDTH, HEIGHT))
    return sizes | {"turned.mp4": (HEIGHT, WIDTH), "odd.mkv": (33, 17)}
