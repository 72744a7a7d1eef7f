// What the compiler sees: programs that use the package, as it is installed.

import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { project, ROOT, remrembg, require, run } from './support.mjs';

const SOURCE = join(ROOT, 'bindings-node');
const CONSUMERS = ['consumer.mts', 'consumer.cts'];
const installed = join(dirname(require.resolve('remrembg')), '..');
const withTypes = { skip: existsSync(join(installed, 'index.d.mts')) ? false : 'needs the package as it is packed' };
const ways = {
  node16: { module: 'node16', moduleResolution: 'node16' },
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'preserve', moduleResolution: 'bundler' },
};

const folder = project(['@types/node', 'undici-types', 'axios', 'form-data', 'typescript']);

/** What the compiler says of a program in the project. */
async function compiled(files, options) {
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    skipLibCheck: false,
    ...options,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const { code, stdout } = await run(process.execPath, [require.resolve('typescript/bin/tsc'), '--pretty', 'false'], {
    cwd: folder,
  });
  return { code, stdout };
}

for (const [name, options] of Object.entries(ways)) {
  test(`programs that use it are typed, with the resolution ${name}`, withTypes, async () => {
    for (const file of CONSUMERS) copyFileSync(join(SOURCE, 'tests', file), join(folder, file));
    assert.deepEqual(await compiled(CONSUMERS, options), { code: 0, stdout: '' });
  });
}

test('programs are typed under laxer options too', withTypes, async () => {
  const lax = { strict: false, exactOptionalPropertyTypes: false, noUncheckedIndexedAccess: false, ...ways.node16 };
  writeFileSync(
    join(folder, 'lax.mts'),
    "import { rembg } from 'remrembg';\nrembg({ apiKey: 'any', inputImage: 'a.png' }).then(({ cleanup }) => cleanup());\n",
  );
  assert.deepEqual(await compiled(['lax.mts'], { ...lax, lib: ['es2022', 'dom'] }), { code: 0, stdout: '' });
});

test('bodies of the Web go in, and results go into answers', withTypes, async () => {
  writeFileSync(
    join(folder, 'web.mts'),
    `import { remove, removeRaw, Remover, fetchModel } from 'remrembg';
const box = [1, 2, 3, 4] as const;
export const answered = async (request: Request, signal: AbortSignal | undefined): Promise<Response> => {
  await fetchModel('u2netp', { signal });
  new Blob([(await removeRaw(await fetch('https://example.com/a.png').then((answer) => answer.blob()))).data]);
  return new Response(await (request.body ? remove(request.body, { keep: [box], drop: box }) : new Remover().remove('a.png')));
};
`,
  );
  const lib = ['es2023', 'dom', 'dom.iterable'];
  assert.deepEqual(await compiled(['web.mts'], { ...ways.bundler, lib }), { code: 0, stdout: '' });
});

test('what the package exports is what its types say, and no more', withTypes, async () => {
  const modules = { mts: remrembg, cts: require('remrembg') };
  for (const [suffix, exported] of Object.entries(modules)) {
    const names = Object.keys(exported).filter(
      (name) => !['default', '__esModule'].includes(name) && /^\w+$/.test(name),
    );
    const importing = `import { ${names.join(', ')} } from 'remrembg';\nvoid [${names.join(', ')}];\n`;
    writeFileSync(join(folder, `names.${suffix}`), importing);
  }
  const files = Object.keys(modules).map((suffix) => `names.${suffix}`);
  assert.deepEqual(await compiled(files, ways.node16), { code: 0, stdout: '' });
  const text = readFileSync(join(installed, 'index.d.ts'), 'utf8');
  for (const [, name] of text.matchAll(/^export declare (?:function|const|class) (\w+)/gm)) {
    assert.ok(name in modules.cts && name in modules.mts, `${name} is there`);
  }
});

test(
  'index.d.ts is up to date',
  { skip: existsSync(join(SOURCE, 'node_modules')) ? false : 'needs what builds the package' },
  async () => {
    const made = join(folder, 'made.d.ts');
    const { code, stderr } = await run('npm', ['run', '--silent', 'types', '--', '--out-file', made], { cwd: SOURCE });
    assert.equal(code, 0, stderr);
    const text = readFileSync(made, 'utf8');
    assert.equal(readFileSync(join(SOURCE, 'index.d.ts'), 'utf8'), text, 'run `make generate`');
    assert.equal(readFileSync(join(installed, 'index.d.ts'), 'utf8'), text, 'run `make node-package`');
    assert.equal(readFileSync(join(installed, 'index.d.mts'), 'utf8'), text, 'run `make node-package`');
  },
);
