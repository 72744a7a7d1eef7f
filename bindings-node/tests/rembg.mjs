// What the tests of `rembg` share: a picture, calls, and where their files go.

import { readdirSync, readFileSync } from 'node:fs';

import { ball, required, temporary } from './help.mjs';

export const { rembg, RembgError } = required('remrembg');

export const apiKey = 'any';
export const NO_KEY = ' ⚠️⚠️⚠️ WARNING ⚠️⚠️⚠️: API key not provided, trials will be very limited.';
export const NO_PICTURE = 'Invalid input type. Must be a file path, Buffer, or an object with a base64 property.';
export const png = await ball(24).png().toBuffer();
export const PREFIX = 'data:image/png;base64,';

/** The bytes of a result, after which its file is gone. */
export async function bytesOf({ outputImagePath, cleanup, base64Image }) {
  if (base64Image !== undefined) return Buffer.from(base64Image.slice(PREFIX.length), 'base64');
  const data = readFileSync(outputImagePath);
  await cleanup();
  return data;
}

export async function made(inputImage, options) {
  return bytesOf(await rembg({ apiKey, inputImage, options }));
}

/** The results in a folder. */
export function results(folder) {
  return readdirSync(folder).filter((name) => name.startsWith('rembg-'));
}

/** A folder for temporary files that nobody else uses during this test. */
export function ownTemporaryFolder(t) {
  const folder = temporary();
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  return folder;
}

export const expected = await made(png);

/** One view of the model, where it is not about what it finds. */
export const FAST = { preset: 'fast' };
export const fast = await made(png, FAST);
