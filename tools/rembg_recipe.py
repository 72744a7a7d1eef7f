"""Writes the masks that rembg's u2netp session makes, with NumPy, Pillow and ONNX Runtime alone.

    python tools/rembg_recipe.py MODEL.onnx OUT_DIR IMAGE...

OUT_DIR/0.bmp, 1.bmp, ... are the images as Pillow decodes them, 0.png, 1.png, ... their masks in 8-bit
grey. An independent yardstick for remrembg's own recipe: Lanczos to 320 x 320, over the picture's
maximum, ImageNet statistics, output min-max normalised, cut to bytes, Lanczos back.

Needs Pillow before 13, as rembg does: from 13 on Pillow resizes some shapes down before across, and
the other roundings show in the masks.
"""

import concurrent.futures
import os
import pathlib
import sys

import numpy as np
import onnxruntime
from PIL import Image

SIZE = (320, 320)
MEAN = np.array([0.485, 0.456, 0.406])
STD = np.array([0.229, 0.224, 0.225])


def mask(session, image):
    small = np.asarray(image.resize(SIZE, Image.Resampling.LANCZOS))
    scaled = (small / max(small.max(), 1e-6) - MEAN) / STD
    tensor = scaled.transpose(2, 0, 1)[np.newaxis].astype(np.float32)
    output = session.run(None, {session.get_inputs()[0].name: tensor})[0][0, 0]
    output = (output - output.min()) / (output.max() - output.min())
    return Image.fromarray((output * 255).astype(np.uint8)).resize(image.size, Image.Resampling.LANCZOS)


def main(model, out_dir, *images):
    # As many pictures at once as there are processors, each on one.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def make(number, path):
        with Image.open(path) as image:
            rgb = image.convert("RGB")
        rgb.save(pathlib.Path(out_dir) / f"{number}.bmp")
        mask(session, rgb).save(pathlib.Path(out_dir) / f"{number}.png")

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
        # list() raises the error of a picture that failed.
        list(threads.map(make, range(len(images)), images))


if __name__ == "__main__":
    main(*sys.argv[1:])
