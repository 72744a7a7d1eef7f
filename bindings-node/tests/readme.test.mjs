// The examples of the documentation: each runs as a program of its own.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { test } from 'node:test';

import { PHOTO, project, ROOT, run, sharp, withPhoto } from './support.mjs';

/** Where examples are, and the heading they are under. \`PAGE\` stands for another text in place of docs/node.md. */
const TEXTS = [
  [join(ROOT, 'README.md'), '# remrembg'],
  [process.env.PAGE ?? join(ROOT, 'docs/node.md'), '# From Node'],
  [join(ROOT, 'docs/migrating-from-rembg.js.md'), '# In place of rembg.js'],
  [join(ROOT, 'docs/migrating-from-imgly.md'), '# In place of @imgly/background-removal-node'],
  [join(ROOT, 'bindings-node/README.md'), '# remrembg'],
];
/** What stands in the text for a package that takes another's place. */
const CLIENT = '@remove-background-ai/rembg.js';

/** From a heading to the next of its level or above, code aside. */
function section(text, heading) {
  const level = heading.indexOf(' ');
  const lines = text.split('\n');
  let code = false;
  let inside = false;
  return lines
    .filter((line) => {
      if (line.startsWith('```')) code = !code;
      const head = !code && new RegExp(`^#{1,${level}} `).test(line);
      if (head) inside = line.trim() === heading;
      return inside && !head;
    })
    .join('\n');
}

function examples(path, heading) {
  if (!existsSync(path)) return [];
  const text = section(readFileSync(path, 'utf8'), heading);
  return [...text.matchAll(/^```js[^\n]*\n(.*?)^```/gms)].map(([, code]) => code);
}

/** A project with what examples find: photo.jpg, three pictures in photos/, and the package by both of its names. */
async function folder() {
  const made = project(['sharp', '@img', 'detect-libc', 'semver']);
  const modules = join(made, 'node_modules');
  mkdirSync(join(modules, dirname(CLIENT)), { recursive: true });
  symlinkSync(join(modules, 'remrembg'), join(modules, CLIENT));
  mkdirSync(join(made, 'photos'));
  await sharp(PHOTO).jpeg().toFile(join(made, 'photo.jpg'));
  for (const name of ['one', 'two', 'three'])
    await sharp(PHOTO)
      .resize(160, 160)
      .jpeg()
      .toFile(join(made, `photos/${name}.jpg`));
  return made;
}

for (const [path, heading] of TEXTS) {
  const found = examples(path, heading);
  const name = relative(ROOT, path);

  test(`${name} has examples under ${heading}`, () => assert.ok(found.length > 0));

  for (const [number, code] of found.entries()) {
    test(`example ${number + 1} of ${name} runs`, withPhoto, async () => {
      const cwd = await folder();
      writeFileSync(join(cwd, 'example.mjs'), code);
      const { code: status, stderr } = await run(process.execPath, ['example.mjs'], { cwd });
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
      const files = [...code.matchAll(/'([\w-]+\.(?:png|webp|jpg))'/g)].map(([, file]) => file);
      for (const file of files)
        assert.ok((await sharp(join(cwd, file)).metadata()).width > 0, `${basename(file)} is a picture`);
    });
  }
}
