"""Keys that people look for and the config does not have, or has by another name: what to do instead.

A name alone counts in every section, `section.name` in that one only.
"""

INSTEAD = {
    "amp": "the precision is `train.precision`",
    "batch": "the batch size is `train.batch_size`",
    "class_weights": "classes count the same, or are drawn alike, by `train.class_balance`",
    "early_stopping": "training ends early by `train.patience`, with `train.selection: validation`",
    "fp16": "the precision is `train.precision`",
    "gpus": "GPUs of one training: `train.devices`; of all at a time: --resources gpu=N on the command line",
    "gradient_accumulation": "`train.micro_batch` passes a batch through the network in parts",
    "image_size": "the side of the square that networks see is `augment.crop`",
    "input_size": "the side of the square that networks see is `augment.crop`",
    "learning_rate": "the learning rate is `train.lr`",
    "num_classes": "the classes are those of the data set's lists or folders; there is nothing to set",
    "num_gpus": "GPUs of one training: `train.devices`; of all at a time: --resources gpu=N on the command line",
    "num_workers": "a training has one loader process fewer than cores: --set-threads train_student=4",
    "optimizer": "the optimiser is `train.optimiser`",
    "pretrained": "what trainings start from is `model.weights`",
    "resume": "an interrupted training goes on by itself: give the same command again",
    "scheduler": "the schedule of the learning rate is `train.schedule`",
    "seed": "`seeds`, at the top, is a list: each of them repeats every training",
    "students.frozen": "of students all parameters train; LT and FT are about their teachers",
    "temperature": "the temperature is KD_T, in rows of `students`",
    "unfrozen": "teachers that go on learning (FT: false) learn from their own loss alone; there is nothing to set",
    "val_fraction": "`train.selection: validation` holds out `train.validation_fraction` of the training videos",
    "validation": "`train.selection: validation` holds out `train.validation_fraction` of the training videos",
    "workers": "a training has one loader process fewer than cores: --set-threads train_student=4",
}
