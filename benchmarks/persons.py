"""The detector of persons: what a look costs a core beside a pair's flow, and the memory of it. Its weights are random.

python benchmarks/persons.py [--frames 48]
"""

import argparse
import tempfile
import time
from pathlib import Path

import cv2

import report
from dtkd.motion.flow import Settings, video_flow
from flow import HEIGHT, WIDTH, peak, write_video


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=48)
    frames = parser.parse_args().frames
    cv2.setNumThreads(1)
    import torch  # here, as the processes whose memory is measured import this file

    from dtkd.motion import fasterrcnn

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        path, weights = Path(folder, "video.avi"), str(Path(folder, "detector.pth"))
        write_video(path, frames, seed=0)
        fasterrcnn.save_untrained(weights)
        fasterrcnn.ready(weights, "cpu")
        ways = {
            "flow": Settings(),
            "flow, and persons at every pair": Settings(person_weights=weights),
            "flow, and persons at every fifth pair": Settings(person_weights=weights, person_every=5),
        }
        rows = []
        for name, settings in ways.items():
            spent = []
            for _ in range(3):
                begin = time.thread_time()
                video_flow(path, **vars(settings))
                spent.append(1000 * (time.thread_time() - begin) / (frames - 1))
            rows.append({"what": name, "CPU ms a pair": round(min(spent), 1), "peak MB": round(peak(path, settings))})
    report.write("persons", rows, f"farneback, {WIDTH}×{HEIGHT}, one thread, {frames} frames, best of 3")


if __name__ == "__main__":
    main()
