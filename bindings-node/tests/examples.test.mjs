// The client's own programs, and its vendor's, run as they are printed.

import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';

import { CLIENT, folderOf, opened, run, serve, sharp, temporary, written } from './help.mjs';

const EXAMPLES = join(CLIENT, 'example');
const SAMPLES = [...readFileSync(join(CLIENT, 'README.md'), 'utf8').matchAll(/```typescript\n(.*?)```/gs)].map(
  ([, text]) => text,
);
const [PROGRAM, BASE64, INPUT, MASK, RESIZE, TURN] = SAMPLES;

/** What stands above the snippets that are no programs by themselves. */
const HEAD = PROGRAM.slice(0, PROGRAM.indexOf('rembg({'));

/** As printed on the vendor's page. */
const VENDOR = `// script.mjs file
import { rembg } from '@remove-background-ai/rembg.js';
import dotenv from 'dotenv';
// Load environment variables from .env file
dotenv.config();
// API_KEY will be loaded from the .env file
const API_KEY = process.env.API_KEY;
// log upload and download progress
const onDownloadProgress = console.log;
const onUploadProgress = console.log;
rembg({
apiKey: API_KEY,
inputImage: './input.png', //inputImage can be one of these: string | Buffer | { base64: string };
onDownloadProgress,
onUploadProgress
}).then(({ outputImagePath, cleanup }) => {
console.log('✅🎉 background removed and saved under path=', outputImagePath);
// if called, it will cleanup (remove from disk) your removed background image
// cleanup();
});
`;

// Each runs twice: with the package in the client's place, and with the client itself, whose requests go to the package's
// service instead.

const REDIRECT = `
import { createRequire } from 'node:module';
const axios = createRequire(${JSON.stringify(join(CLIENT, 'index.js'))})('axios');
axios.interceptors.request.use((config) => ({ ...config, url: config.url.replace('https://api.rembg.com', '${await serve()}') }));
`;
const PRELOADED = written(temporary(), 'redirect.mjs', REDIRECT);

const CLIENTS = {
  'the package': { from: folderOf('remrembg'), NODE_OPTIONS: '' },
  'the client with the service': { from: CLIENT, NODE_OPTIONS: `--import=${PRELOADED}` },
};

/**
 * A project with the package under the client's name, in which the folder example lies beside dist as it does in the
 * client: the folder.
 */
async function project({ from }) {
  const folder = temporary();
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@remove-background-ai'), { recursive: true });
  symlinkSync(from, join(modules, '@remove-background-ai/rembg.js'));
  symlinkSync(folderOf('dotenv'), join(modules, 'dotenv'));
  symlinkSync(join(from, 'dist'), join(folder, 'dist'));
  cpSync(EXAMPLES, join(folder, 'example'), { recursive: true });
  const photo = await sharp(join(EXAMPLES, 'input.jpg')).png().toBuffer();
  for (const place of [folder, join(folder, 'example')]) {
    written(place, '.env', 'API_KEY=YOUR_API_KEY_HERE\n');
    written(place, 'input.png', photo);
    copyFileSync(join(EXAMPLES, 'input.jpg'), join(place, 'input.jpg'));
  }
  return folder;
}

/** Runs a program in its folder, which must go well: what it prints, and the files that it leaves. */
async function ran({ NODE_OPTIONS }, path) {
  const TMPDIR = temporary();
  const { status, stdout, stderr } = await run([process.execPath, basename(path)], {
    cwd: dirname(path),
    env: { TMPDIR, API_KEY: undefined, NODE_OPTIONS },
  });
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /upload: true\n/);
  assert.match(stdout, /download: true\n/);
  const files = readdirSync(TMPDIR).filter((name) => name.startsWith('rembg-'));
  return { stdout, files: files.map((name) => join(TMPDIR, name)) };
}

/** The one file that a program leaves, which is the one that it tells of. */
function only({ stdout, files }) {
  assert.equal(files.length, 1);
  assert.ok(stdout.includes(files[0]), `${files[0]} is told of`);
  return readFileSync(files[0]);
}

/** The picture that a program prints. */
function printed({ stdout, files }) {
  assert.deepEqual(files, []);
  return Buffer.from(/data:image\/png;base64,([A-Za-z0-9+/=]+)/.exec(stdout)[1], 'base64');
}

async function expectPicture(data, format, width, height, channels) {
  const found = await sharp(data).metadata();
  assert.deepEqual([found.format, found.width, found.height, found.channels], [format, width, height, channels]);
}

const TEXT = readFileSync(join(EXAMPLES, 'inputBase64.txt'), 'utf8');
const { info: TEXT_INFO } = await opened(Buffer.from(TEXT.split(',')[1], 'base64'));
const TEXT_SIZE = [TEXT_INFO.width, TEXT_INFO.height];
const { width: WIDTH, height: HEIGHT } = await sharp(join(EXAMPLES, 'input.jpg')).metadata();
const PROGRAMS = {
  'example_with_all_params.mjs': async (told) => {
    const data = only(told);
    // 800 × 600 at most, then turned by 90°, on blue.
    await expectPicture(data, 'png', 600, Math.round((600 / HEIGHT) * WIDTH), 3);
    assert.deepEqual([...(await opened(data)).data.subarray(0, 3)], [0, 0, 255]);
    assert.match(told.stdout, /✅🎉 Background removed successfully!/);
  },
  'example_with_input_base64.mjs': async (told) => {
    await expectPicture(only(told), 'webp', ...TEXT_SIZE, 4);
  },
  'example_with_input_buffer.mjs': async (told) => {
    await expectPicture(only(told), 'webp', WIDTH, HEIGHT, 4);
  },
  'example_with_mask_and_new_params.mjs': async (told) => {
    assert.deepEqual(told.files, [], 'it cleans up');
    assert.match(told.stdout, /Mask saved to: .*rembg-.*\.PNG\n/);
    assert.match(told.stdout, /Temporary file cleaned up/);
  },
  'example_with_ret_type_base64.mjs': async (told) => {
    await expectPicture(printed(told), 'webp', WIDTH, HEIGHT, 4);
  },
  'example_with_ret_type_path.mjs': async (told) => {
    assert.deepEqual(told.files, [], 'it cleans up');
    assert.match(told.stdout, /✅🎉 background is removed and it is saved under this path=.*rembg-.*\.png\n/);
  },
};

const { REMREMBG_TEST_PICTURES } = process.env;

const withPage = { skip: !REMREMBG_TEST_PICTURES && "needs the vendor's page in REMREMBG_TEST_PICTURES" };
test('no program of the folder is left out', () => {
  const programs = readdirSync(EXAMPLES).filter((name) => name.endsWith('.mjs'));
  assert.deepEqual(programs.sort(), Object.keys(PROGRAMS).sort());
});

test('the samples of its README are the six that are run here', () => {
  assert.equal(SAMPLES.length, 6);
  for (const [sample, words] of [
    [PROGRAM, '// script.mjs file'],
    [BASE64, "format: 'png' // or webp"],
    [INPUT, '{base64: base64Input}'],
    [MASK, 'returnMask: true'],
    [RESIZE, 'w: 1000'],
    [TURN, 'angle: 90'],
  ]) {
    assert.ok(sample.includes(words), words);
  }
});

test('that is how the page has it', withPage, () => {
  const PAGE = join(REMREMBG_TEST_PICTURES, 'hosted-api-documentation.txt');
  assert.ok(readFileSync(PAGE, 'utf8').includes(VENDOR));
});

for (const [who, client] of Object.entries(CLIENTS)) {
  // The folder example.

  for (const [name, expect] of Object.entries(PROGRAMS)) {
    test(`${who}: example/${name} runs unchanged`, async () => {
      const folder = await project(client);
      await expect(await ran(client, join(folder, 'example', name)));
    });
  }

  // README.md.

  test(`${who}: its program runs unchanged`, async () => {
    const folder = await project(client);
    await expectPicture(only(await ran(client, written(folder, 'script.mjs', PROGRAM))), 'webp', WIDTH, HEIGHT, 4);
  });

  test(`${who}: its sample of base64 is no JavaScript as printed, and runs with the comma that it lacks`, async () => {
    const folder = await project(client);
    const path = written(join(folder, 'example'), 'sample.mjs', BASE64);
    const { status, stderr } = await run([process.execPath, '--check', path]);
    assert.notEqual(status, 0);
    assert.match(stderr, /format: 'png' \/\/ or webp\n\s*\^+\n(.|\n)*SyntaxError: Unexpected identifier/);
    const mended = BASE64.replace('returnBase64: true\n', 'returnBase64: true,\n');
    assert.equal(mended.length, BASE64.length + 1);
    written(join(folder, 'example'), 'sample.mjs', mended);
    await expectPicture(printed(await ran(client, path)), 'png', WIDTH, HEIGHT, 4);
  });

  test(`${who}: its sample of a base64 input breaks off in an ellipsis, and runs with a whole one`, async () => {
    const folder = await project(client);
    const path = written(join(folder, 'example'), 'sample.mjs', INPUT);
    const { status, stderr } = await run([process.execPath, path], {
      cwd: dirname(path),
      env: { NODE_OPTIONS: client.NODE_OPTIONS },
    });
    assert.equal(status, 1);
    assert.match(
      stderr,
      /❌ 400 \{"error":"File does not appear to be a valid image \(invalid file signature\)","status":400\}/,
    );
    const filled = INPUT.replace(/'data:image\/png;base64,.*etc'/, `'${TEXT}'`);
    assert.ok(filled.length > TEXT.length);
    written(join(folder, 'example'), 'sample.mjs', filled);
    await expectPicture(printed(await ran(client, path)), 'webp', ...TEXT_SIZE, 4);
  });

  test(`${who}: its snippet of a mask runs below the head of its program`, async () => {
    const told = await ran(client, written(await project(client), 'script.mjs', HEAD + MASK));
    const { channels, format, width } = await sharp(printed(told)).metadata();
    assert.deepEqual([format, width], ['webp', WIDTH]);
    assert.equal(channels, 3, 'WebP has no grey, and a mask no alpha');
  });

  test(`${who}: its snippet of a size runs, and prints that there is no base64 where none was asked for`, async () => {
    const told = await ran(client, written(await project(client), 'script.mjs', HEAD + RESIZE));
    assert.match(told.stdout, /✅🎉 Mask retrieved: undefined\n/);
    assert.equal(told.files.length, 1);
    const height = Math.min(760, Math.round((1000 / WIDTH) * HEIGHT));
    await expectPicture(readFileSync(told.files[0]), 'webp', Math.round((height / HEIGHT) * WIDTH), height, 4);
  });

  test(`${who}: its snippet of a turn runs, and cleans up`, async () => {
    const told = await ran(client, written(await project(client), 'script.mjs', HEAD + TURN));
    assert.match(told.stdout, /✅🎉 Background removed with rotation and custom background: .*rembg-.*\.WEBP\n/);
    assert.deepEqual(told.files, []);
  });

  // The vendor's page.

  test(`${who}: the vendor's program runs unchanged`, async () => {
    const told = await ran(client, written(await project(client), 'script.mjs', VENDOR));
    await expectPicture(only(told), 'webp', WIDTH, HEIGHT, 4);
    // As the page shows it, part of what is printed.
    assert.match(told.stdout, /\{\n {2}loaded: \d+,\n {2}total: \d+,\n {2}progress: 1,\n {2}bytes: \d+,\n {2}rate: /);
  });
}
