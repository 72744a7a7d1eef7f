// The client whose place the package takes, beside the package.
//
// The client runs as it is published, over axios's own way of sending; only its address is another one: the service of
// this package.

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { ball, CLIENT, required, serve } from './help.mjs';

export const ours = required('remrembg');
export const theirs = required('@remove-background-ai/rembg.js');
const axios = createRequire(join(CLIENT, 'index.js'))('axios');

export const silent = { onUploadProgress: () => {}, onDownloadProgress: () => {} };
export const apiKey = 'YOUR_API_KEY_HERE';
export const png = await ball(24).png().toBuffer();

// The hosted API, as this machine has it.

const SERVICE = await serve('--keys', apiKey);

const send = axios.getAdapter('http');
axios.defaults.adapter = (config) => {
  assert.equal(config.url, 'https://api.rembg.com/rmbg');
  return send({ ...config, url: `${SERVICE}/rmbg`, proxy: false });
};

// What both are asked.

/** What became of a call, to be compared: random letters and who it is are left out. */
export async function outcome(rembg, parameters) {
  try {
    const { outputImagePath, cleanup, base64Image } = await rembg({ apiKey, ...silent, ...parameters });
    if (base64Image !== undefined) return { base64Image };
    const file = outputImagePath.replace(/-[0-9A-Za-z]{12}-/, '-RANDOM-');
    const made = { file, mode: statSync(outputImagePath).mode, data: readFileSync(outputImagePath) };
    await cleanup();
    return made;
  } catch ({ message }) {
    return { message };
  }
}

export async function both(parameters) {
  return [await outcome(theirs.rembg, parameters), await outcome(ours.rembg, parameters)];
}

/** Asserts that both do the same, and gives what that is. */
export async function same(parameters, name) {
  const [client, package_] = await both(parameters);
  assert.deepEqual(package_, client, name);
  return package_;
}

/** The events of a call. */
export async function events(rembg, inputImage) {
  const told = { upload: [], download: [] };
  const onUploadProgress = (event) => told.upload.push(event);
  const onDownloadProgress = (event) => told.download.push(event);
  const { cleanup } = await rembg({ apiKey, inputImage, onUploadProgress, onDownloadProgress });
  await cleanup();
  // Those of axios come late.
  const whole = (events) => events.length > 0 && events.at(-1).loaded === events.at(-1).total;
  for (let wait = 0; wait < 6000 && !(whole(told.upload) && whole(told.download)); wait += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return told;
}
