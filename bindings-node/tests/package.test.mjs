// The packed file: what it holds, and that it is enough by itself.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { node, PHOTO, png, ROOT, run, TINY, temporary, withPhoto } from './support.mjs';

const { PACKAGE } = process.env;
const packed = { skip: PACKAGE ? false : 'needs PACKAGE, the packed file: run `make test-node`' };
const withBoth = { skip: packed.skip || withPhoto.skip };
const SOURCE = join(ROOT, 'bindings-node');
const PREBUILT = `prebuilds/${process.platform}-${process.arch}.node`;
/** Of the packed file in bytes; more than a third of it are the weights. That of the release profile has two million less. */
const LARGEST = 17_000_000;
const GLIBC = [2, 17];

const project = join(temporary(), 'project');
const installed = join(project, 'node_modules/remrembg');
const read = (...path) => readFileSync(join(...path), 'utf8');
const { version } = JSON.parse(read(SOURCE, 'package.json'));

before(async () => {
  if (!PACKAGE) return;
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true }');
  const words = ['install', '--ignore-scripts', '--offline', '--no-audit', '--no-fund', '--loglevel=error', PACKAGE];
  const { code, stderr } = await run('npm', words, { cwd: project });
  assert.equal(code, 0, stderr);
});

// Of the project, of works it has inside, and of the crates that are compiled in.
const LICENCES = ['LICENSE', 'NOTICE', 'THIRD-PARTY.txt'];

test('it is small', packed, () => {
  const { size } = statSync(PACKAGE);
  assert.ok(size < LARGEST, `${size} bytes`);
});

test('it holds the package and no more', packed, async () => {
  const { stdout } = await run('tar', ['-tzf', PACKAGE]);
  const names = stdout
    .trim()
    .split('\n')
    .map((name) => name.replace('package/', ''));
  const modules = readdirSync(join(SOURCE, 'ts')).map((name) => `dist/${name.replace('.ts', '.js')}`);
  const others = [...LICENCES, 'README.md', 'index.d.mts', 'index.d.ts', 'index.mjs', 'package.json', PREBUILT];
  assert.deepEqual(names.sort(), [...modules, ...others].sort());
});

test('programs replace what it exports in their tests, as they replace rembg.js', packed, async () => {
  const code = `
    'use strict';
    const { mock } = require('node:test');
    const all = require('remrembg');
    mock.method(all, 'rembg', () => 'replaced');
    all.remove = () => 'replaced too';
    const library = require('remrembg/dist/index.js');
    const names = Object.keys(library).filter((name) => !Object.getOwnPropertyDescriptor(library, name).writable);
    console.log(all.rembg(), library.remove(), names.length, Object.keys(library).length > 15);`;
  const { stdout, stderr } = await run(process.execPath, ['-e', code], { cwd: project });
  assert.equal(stdout, 'replaced replaced too 0 true\n', stderr);
  const { code: status, stdout: exported } = await run(
    process.execPath,
    [
      '-p',
      "Object.keys(require('./node_modules/remrembg/dist/library.js')).filter((name) => !(name in require('remrembg'))).length",
    ],
    { cwd: project },
  );
  assert.deepEqual([status, exported], [0, '0\n'], 'nothing is left out');
});

test('its licence, notices and types are those of the repository', packed, () => {
  for (const name of LICENCES) assert.equal(read(installed, name), read(ROOT, name), name);
  for (const name of ['README.md', 'index.d.ts', 'index.mjs'])
    assert.equal(read(installed, name), read(SOURCE, name), name);
  assert.equal(read(installed, 'index.d.mts'), read(installed, 'index.d.ts'));
});

test('it says what a registry shows, and runs nothing when it is installed', packed, () => {
  const about = JSON.parse(read(installed, 'package.json'));
  assert.deepEqual([about.name, about.license, about.engines], ['remrembg', 'MIT', { node: '>=18' }]);
  assert.ok(about.description && about.keywords.includes('rembg'));
  for (const kind of ['dependencies', 'optionalDependencies', 'peerDependencies', 'bundleDependencies']) {
    assert.equal(about[kind], undefined, kind);
  }
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare'])
    assert.equal(about.scripts?.[script], undefined);
  const cargo = /^version = "(.*)"/m.exec(read(ROOT, 'Cargo.toml'))[1];
  assert.deepEqual([about.version, version], [cargo, cargo]);
});

test('its page on a registry has no link into the repository', packed, () => {
  const links = [...read(installed, 'README.md').matchAll(/\]\(([^)]*)\)/g)].map(([, link]) => link);
  assert.deepEqual(
    links.filter((link) => !/^(https:\/\/|#)/.test(link)),
    [],
  );
});

test('nothing else is installed', packed, () => {
  const found = readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'));
  assert.deepEqual(found, ['remrembg']);
});

const USE = `
  const remover = new Remover(SETTINGS);
  const png = await remover.remove(Buffer.from(PHOTO, 'base64'), { format: 'png', w: 12 });
  const { info } = await remover.removeRaw(png);
  const outcomes = [];
  for await (const { result } of remover.removeMany([png, png])) outcomes.push(result.length > 0);
  const chunks = [];
  for await (const chunk of Readable.from([png]).pipe(remover.removeStream())) chunks.push(chunk);
  const error = await remover.remove(png, { w: 'abc', signal: AbortSignal.timeout(60000) }).catch((error) => error);
  const { name, fallback } = await new Remover().load();
  console.log(JSON.stringify({
    version, info: [info.width, info.height, info.channels], outcomes, stream: chunks.length, status: error.status,
    refused: error instanceof RembgError, engine: name, fallback: typeof fallback,
  }));`;

async function works(program) {
  const [picture, settings] = [(await png()).toString('base64'), JSON.stringify(TINY)];
  const code = USE.replace('SETTINGS', settings).replace('PHOTO', `'${picture}'`);
  const imports = {
    module: `import { Readable } from 'node:stream'; import { Remover, RembgError, version } from 'remrembg'; ${code}`,
    commonjs: `const { Readable } = require('node:stream'); const { Remover, RembgError, version } = require('remrembg'); (async () => { ${code} })();`,
  };
  for (const [type, text] of Object.entries(imports)) {
    const { code: status, stdout, stderr } = await node(text, { type, program, cwd: project });
    assert.deepEqual({ type, status, stderr }, { type, status: 0, stderr: '' });
    assert.deepEqual(JSON.parse(stdout), {
      version,
      info: [12, 8, 4],
      outcomes: [true, true],
      stream: 1,
      status: 400,
      refused: true,
      engine: 'native',
      fallback: 'undefined',
    });
  }
}

test('it works alone, from modules and from scripts', packed, async () => {
  await works(process.execPath);
});

for (const [major, name] of [
  [18, 'node-18'],
  [26, 'node-26'],
]) {
  const program = join(process.cwd(), 'node_modules', name, 'bin/node');
  const there = { skip: packed.skip || (existsSync(program) ? false : `needs ${program}`) };
  test(`it works on Node ${major}`, there, async () => {
    const { stdout } = await run(program, ['--version']);
    assert.match(stdout, new RegExp(`^v${major}\\.`));
    await works(program);
  });
}

test('it brings the command', withBoth, async () => {
  const command = (...words) => run('npx', ['--no', '--offline', '--', 'remrembg', ...words], { cwd: project });
  const told = await command('--version');
  assert.equal(told.stdout, `remrembg ${version}\n`, told.stderr);
  const { code, stderr } = await command(PHOTO, '-o', 'cutout.webp', '--w', '64');
  assert.equal(code, 0, stderr);
  assert.equal(readFileSync(join(project, 'cutout.webp')).subarray(8, 12).toString(), 'WEBP');
  const refused = await command(PHOTO, '-o', 'cutout.webp', '--w', 'abc');
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /'w' must be an integer, got: 'abc'/);
});

test('the command takes every option of the documentation as a flag', packed, async () => {
  const { stdout } = await run('npx', ['--no', '--offline', '--', 'remrembg', 'remove', '--help'], { cwd: project });
  const flags = stdout.match(/--[a-z][a-z-]*/g);
  const table = readFileSync(join(ROOT, 'docs/options.md'), 'utf8').split('\n## ')[0];
  const options = [...table.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, key]) => `--${key.replaceAll('_', '-')}`);
  assert.ok(options.length > 20);
  assert.deepEqual(
    options.filter((option) => !flags.includes(option)),
    [],
  );
});

test('its native module needs no newer glibc than it says', packed, async (context) => {
  const { stdout } = await run('objdump', ['-T', join(installed, PREBUILT)]).catch(() => ({ stdout: undefined }));
  if (stdout === undefined) return context.skip('needs objdump');
  const versions = [...stdout.matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => [
    Number(major),
    Number(minor),
  ]);
  assert.ok(versions.length > 0);
  const newer = versions.filter(([major, minor]) => major > GLIBC[0] || minor > GLIBC[1]);
  assert.deepEqual([...new Set(newer.map((version) => version.join('.')))], []);
});

test('its native module takes nothing but the system, and is stripped', packed, async (context) => {
  const { stdout } = await run('objdump', ['-p', join(installed, PREBUILT)]).catch(() => ({ stdout: undefined }));
  if (stdout === undefined) return context.skip('needs objdump');
  const needed = [...stdout.matchAll(/NEEDED\s+(\S+)/g)].map(([, name]) => name);
  const system = ['libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0', 'libgcc_s.so.1', 'ld-linux-x86-64.so.2'];
  assert.deepEqual(
    needed.filter((name) => !system.includes(name)),
    [],
  );
  const symbols = await run('objdump', ['-t', join(installed, PREBUILT)]);
  assert.match(symbols.stdout, /no symbols/);
});

test('where there is no module for the machine, the error says which is missing', packed, async () => {
  const code = `Object.defineProperty(process, 'arch', { value: 'mips' }); try { require('remrembg'); } catch (error) { console.log(error.message); }`;
  const { stdout } = await node(code, { type: 'commonjs', cwd: project });
  assert.match(stdout, new RegExp(`no native module for ${process.platform} on mips`));
});
