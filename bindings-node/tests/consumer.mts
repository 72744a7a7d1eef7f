// A program as users write it, for the compiler: never run.

import { createReadStream, createWriteStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

import type { AxiosProgressEvent } from 'axios';
import itself, {
  applySegmentationMask,
  type Config,
  type EngineInfo,
  type ErrorBody,
  type ErrorKind,
  fetchModel,
  matte,
  models,
  type Outcome,
  type Picture,
  type Problem,
  type Progress,
  RembgError,
  Remover,
  type RemoveOptions,
  rembg,
  remove,
  removeBackground,
  removeForeground,
  removeMany,
  removeRaw,
  removeStream,
  type Settings,
  segmentForeground,
  version,
} from 'remrembg';

/** Fails to compile unless both are the same type. */
function same<A>() {
  return <B,>(value: B & ([A, B] extends [B, A] ? unknown : never)): void => void value;
}

export async function written_for_the_client(key: string): Promise<void> {
  const onDownloadProgress = console.log;
  const onUploadProgress = ({ loaded, total = 0 }: AxiosProgressEvent): void => console.log(loaded / total);
  const { outputImagePath, cleanup } = await rembg({
    apiKey: key,
    inputImage: './input.png',
    onDownloadProgress,
    onUploadProgress,
  });
  console.log(`${outputImagePath.length}`);
  await cleanup();
  const asFile = await rembg({ apiKey: key, inputImage: 'a.png', options: { returnBase64: false } });
  if (asFile.base64Image) console.log(asFile.base64Image.length);
  same<string>()(asFile.outputImagePath);
  const { base64Image } = await rembg({
    apiKey: key,
    inputImage: { base64: 'data:image/png;base64,' },
    onDownloadProgress,
    onUploadProgress,
    options: { returnBase64: true, w: 800, h: 600, exact_resize: false, format: 'WEBP', angle: 90, expand: true },
  });
  same<string>()(base64Image);
  const options = { returnMask: true, returnBase64: Boolean(key), w: 1, h: 1, bg_color: '#FFFFFFFF' };
  const either = await rembg({
    apiKey: key,
    inputImage: await readFile('a.png'),
    onDownloadProgress,
    onUploadProgress,
    options,
  });
  if (either.base64Image === undefined) await either.cleanup();
  else same<string>()(either.base64Image);
  const blob: Blob = await itself('photo.jpg', { output: { format: 'image/webp' } });
  same<Blob>()(await itself(blob));
  await itself({ apiKey: key, inputImage: Buffer.alloc(1) }).then(({ outputImagePath: path }) => path.length);
  await itself.rembg({ apiKey: key, inputImage: new Blob([]) });
}

export async function pictures(): Promise<void> {
  const handle = await open('photo.jpg');
  const bytes = await readFile('photo.jpg');
  const all: Picture[] = [
    'photo.jpg',
    new URL('file:///photo.jpg'),
    bytes,
    new Uint8Array(bytes),
    new DataView(new ArrayBuffer(1)),
    new ArrayBuffer(1),
    new SharedArrayBuffer(1),
    new Blob([bytes]),
    createReadStream('photo.jpg'),
    handle.createReadStream(),
    handle.readableWebStream(),
    new Blob([bytes]).stream(),
    chunks(),
    { data: bytes, width: 1, height: 1 },
    { data: new Uint8ClampedArray(4), width: 1, height: 1, channels: 4, stride: 4 },
    { data: bytes, info: { width: 1, height: 1, channels: 3 } },
    { data: new Uint8Array(3), shape: [1, 1, 3] },
  ];
  for (const picture of all) same<Buffer<ArrayBuffer>>()(await remove(picture));
  const { data, info } = await removeRaw(bytes);
  same<Buffer<ArrayBuffer>>()(data);
  same<1 | 3 | 4>()(info.channels);
  same<Buffer<ArrayBuffer>>()(await remove({ data, info }));
}

async function* chunks(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1);
}

export async function library(paths: string[], maybe: AbortSignal | undefined): Promise<EngineInfo> {
  const settings: Settings = {
    engine: 'auto',
    threads: 2,
    in_flight: '3',
    providers: ['cuda', 'cpu'],
    model: undefined,
  };
  const remover = new Remover(settings);
  const options: RemoveOptions = {
    w: 800,
    h: '600',
    exact_resize: 'true',
    angle: 12.5,
    expand: 1,
    format: 'png',
    mask: false,
    bg_color: null,
    matting: true,
    matting_erode_size: 10,
    smooth_mask: true,
    refine: 'on',
    decontaminate: true,
    trimap: false,
    keep: [
      [10, 20],
      [0, 0, 300, 200],
    ],
    drop: [5, 5],
    mask_from: 'mask.png',
    keep_colors: true,
    keep_alpha: true,
    invert_mask: false,
    quality: 90,
    compression: 'small',
    preset: 'best',
    onFound: ({ coverage, bounds, confidence }) => [coverage, bounds?.left, confidence],
    signal: maybe,
    onProgress: ({ stage, fraction }: Progress) => `${stage} ${fraction.toFixed()}`,
  };
  await remover.remove('photo.jpg', options);
  await remover.removeRaw('photo.jpg', { matting: true, quality: 80, onProgress: async () => {} });
  same<Float32Array>()((await matte('photo.jpg', { preset: 'best' })).data);
  same<number>()((await remover.matte(Buffer.alloc(1))).width);
  for await (const { picture, result, error } of remover.removeMany(paths, { ...options, jobs: 2 })) {
    same<string>()(picture);
    if (error) same<Error>()(error);
    else same<Buffer<ArrayBuffer>>()(result);
  }
  const outcomes: Outcome<Buffer>[] = [];
  for await (const outcome of removeMany(new Set([Buffer.alloc(1)]))) outcomes.push(outcome);
  for await (const { result } of removeMany(chunks())) same<Buffer<ArrayBuffer> | undefined>()(result);
  await pipeline(createReadStream('photo.jpg'), removeStream({ format: 'png' }), createWriteStream('cutout.png'));
  same<string | undefined>()(await fetchModel('u2net', { onProgress: (bytes, total) => bytes / total }));
  same<readonly string[]>()(models);
  same<string>()(version);
  return remover.load();
}

export async function imgly(image: Uint8Array): Promise<Blob> {
  const config: Config = {
    debug: false,
    publicPath: 'file:///models/',
    model: 'medium',
    output: { format: 'image/webp', quality: 0.9 },
    progress: (key, current, total) => console.log(key.length, current / total),
  };
  const blobs = [
    await removeBackground(image, config),
    await removeForeground('photo.jpg'),
    await segmentForeground(image),
  ];
  return applySegmentationMask(image, blobs[2] as Blob, config);
}

export function failing(error: unknown): Problem[] {
  if (!(error instanceof RembgError)) throw error;
  same<number>()(error.status);
  same<ErrorKind>()(error.kind);
  same<ErrorBody>()(error.toJSON());
  console.log(error.body.length, error.code.length, error.errno?.toFixed());
  return error.details;
}

export async function wrong(): Promise<void> {
  // @ts-expect-error an option of no such name
  await remove('photo.jpg', { width: 800 });
  // @ts-expect-error a size is a number or text
  await remove('photo.jpg', { w: true });
  // @ts-expect-error a number is no picture
  await remove(42);
  // @ts-expect-error text is no pixels
  await remove({ data: 'text', width: 1, height: 1 });
  // @ts-expect-error a setting of no such name
  new Remover({ zoom: 1 });
  // @ts-expect-error a switch is no object
  await remove('photo.jpg', { matting: { erode_size: 1 } });
  // @ts-expect-error one picture is not many
  removeMany(42);
  // @ts-expect-error the key is not optional
  await rembg({ inputImage: 'photo.jpg' });
  // @ts-expect-error an option of no such name
  await rembg({ apiKey: 'any', inputImage: 'photo.jpg', options: { width: 800 } });
  // @ts-expect-error errors are made inside
  new RembgError({ status: 400 });
  // @ts-expect-error what is inside is not to be seen
  await new Remover().made({});
  // @ts-expect-error a result without a look at the error
  for await (const { result } of removeMany(['photo.jpg'])) result.length;
}
