// What is not the same as with the client whose place the package takes.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { CLIENT, folderOf, noise, ROOT, rejected, run, temporary, written } from './help.mjs';
import { ours, silent, theirs, apiKey, png, outcome, both, events } from './client.mjs';

// What is not the same: the client, the package, why. It is the table in docs/migrating-from-rembg.js.md.

const DIFFERENCES = [
  {
    theirs: 'picture and key go to api.rembg.com; a wrong key is refused with 401',
    ours: 'nothing leaves the machine; any key will do',
    why: 'the engine is inside',
    async shown() {
      const [client, package_] = await both({ apiKey: 'wrong', inputImage: png });
      assert.equal(client.message, '❌ 401 {"error":"invalid api key","status":401}');
      assert.ok(package_.data);
    },
  },
  {
    theirs:
      'asks for png and webp alone; `format: "jpeg"` gives WebP in a file named `.jpeg`, and so does any other word',
    ours: 'webp, png, jpeg (or jpg) and bmp are made, any other word is refused',
    why: 'the hosted API knows four formats; a file is what its name says',
    async shown() {
      for (const [format, start] of [
        ['jpeg', 'ffd8ff'],
        ['JPG', 'ffd8ff'],
        ['bmp', '424d'],
        [' png ', '89504e47'],
      ]) {
        const [client, package_] = await both({ inputImage: png, options: { format } });
        assert.equal(client.data.toString('latin1', 8, 12), 'WEBP', format);
        assert.ok(package_.data.toString('hex').startsWith(start), format);
        assert.equal(package_.file, client.file);
      }
      const [client, package_] = await both({ inputImage: png, options: { format: 'gif' } });
      assert.match(client.file, /\.gif$/);
      assert.match(package_.message, /^❌ 400 \{"error":"Invalid format 'gif'\./);
      const [outside, refused] = await both({ inputImage: png, options: { format: '../x' } });
      assert.equal(outside.message, '❌ Request failed Relative value not allowed');
      assert.match(refused.message, /^❌ 400 \{"error":"Invalid format '\.\.\/x'\./);
    },
  },
  {
    theirs: '`Uint8Array` and `Blob` are refused, `null` is a `TypeError`',
    ours: '`Uint8Array` and `Blob` are taken, `null` is refused as any other wrong type is',
    why: 'they are what Node has beside Buffer',
    async shown() {
      const refused = 'Invalid input type. Must be a file path, Buffer, or an object with a base64 property.';
      const expected = await outcome(ours.rembg, { inputImage: png });
      for (const inputImage of [new Uint8Array(png), new Blob([png])]) {
        assert.deepEqual(await both({ inputImage }), [{ message: refused }, expected]);
      }
      const [client, package_] = await both({ inputImage: null });
      assert.equal(client.message, "Cannot use 'in' operator to search for 'base64' in null");
      assert.equal(package_.message, refused);
    },
  },
  {
    theirs: 'a `base64` that is not text, or a `data:` URL without a comma, is a `TypeError`',
    ours: 'refused as a file that is empty or no picture',
    why: 'one kind of error for what is wrong with a picture',
    async shown() {
      for (const base64 of ['data:image/png', 5, null]) {
        const [client, package_] = await both({ inputImage: { base64 } });
        assert.doesNotMatch(client.message, /^❌/);
        assert.match(package_.message, /^❌ 400 \{"error":"(Uploaded file is empty|File does not appear)/);
      }
    },
  },
  {
    theirs: 'an option that is `null` is a `TypeError` or is sent as the word `null`',
    ours: 'not given',
    why: 'that is what null says',
    async shown() {
      const expected = await outcome(ours.rembg, { inputImage: png });
      for (const name of ['exact_resize', 'angle', 'expand', 'returnMask', 'returnBase64', 'w', 'h', 'bg_color']) {
        const [client, package_] = await both({ inputImage: png, options: { [name]: null } });
        assert.match(client.message, /Cannot read properties of null|'null'/, name);
        assert.deepEqual(package_, expected, name);
      }
    },
  },
  {
    theirs: 'a value of a type that a form cannot hold fails in words of its own',
    ours: 'refused in the words of the hosted API',
    why: 'one parser, in core',
    async shown() {
      const [client, package_] = await both({ inputImage: png, options: { w: true } });
      assert.match(client.message, /^❌ Request failed The "chunk" argument/);
      assert.equal(package_.message, '❌ 400 {"error":"\'w\' must be an integer, got: \'true\'","status":400}');
      const [format, refused] = await both({ inputImage: png, options: { format: 5 } });
      assert.equal(format.message, 'format.toLowerCase is not a function');
      assert.match(refused.message, /^❌ 400 \{"error":"Invalid format '5'\./);
    },
  },
  {
    theirs: 'options that it does not know are passed over',
    ours: 'refused by name; those of `remove` work (`mask`, `preset`, `matting`, `signal` …)',
    why: 'a mistake in typing is told',
    async shown() {
      const plain = await outcome(theirs.rembg, { inputImage: png });
      const [client, package_] = await both({ inputImage: png, options: { widht: 5 } });
      assert.deepEqual(client, plain);
      assert.match(package_.message, /^❌ 400 \{"error":"Unknown option 'widht'/);
      const masks = await both({ inputImage: png, options: { mask: true } });
      assert.deepEqual(masks[0], plain);
      assert.deepEqual(masks[1], await outcome(ours.rembg, { inputImage: png, options: { returnMask: true } }));
    },
  },
  {
    theirs: 'an error has a message alone',
    ours: 'the same message; `status`, `code`, `details` and `toJSON()` beside it',
    why: 'the body need not be parsed out of the message',
    async shown() {
      const parameters = { apiKey, ...silent, inputImage: png, options: { w: -5 } };
      const [client, package_] = [await rejected(theirs.rembg(parameters)), await rejected(ours.rembg(parameters))];
      assert.deepEqual([client.status, client.details, client.toJSON], [undefined, undefined, undefined]);
      assert.deepEqual([package_.status, package_.details[0].field], [400, 'w']);
      assert.equal(`❌ 400 ${JSON.stringify(package_)}`, client.message);
    },
  },
  {
    theirs: '`returnBase64` gives `{ base64Image }`, and says `image/png` of every format',
    ours: 'so does this, with the true `mimeType` beside it',
    why: 'the prefix is kept for those who cut it off',
    async shown() {
      const parameters = { apiKey, ...silent, inputImage: png, options: { returnBase64: true } };
      const [client, package_] = [await theirs.rembg(parameters), await ours.rembg(parameters)];
      assert.deepEqual(package_, { ...client, mimeType: 'image/webp' });
      assert.deepEqual(Object.keys(client), ['base64Image']);
    },
  },
  {
    theirs: 'without callbacks every event is printed',
    ours: 'nothing is printed',
    why: 'a library is silent',
    async shown(t) {
      const log = t.mock.method(console, 'log', () => {});
      await (await ours.rembg({ apiKey, inputImage: png })).cleanup();
      assert.equal(log.mock.callCount(), 0);
      await (await theirs.rembg({ apiKey, inputImage: png })).cleanup();
      assert.ok(log.mock.callCount() >= 2);
    },
  },
  {
    theirs: 'upload events count the whole form, about a kilobyte more than the picture',
    ours: 'they count the bytes of the picture',
    why: 'there is no form',
    async shown() {
      const [client, package_] = [await events(theirs.rembg, png), await events(ours.rembg, png)];
      assert.ok(client.upload[0].total > png.length);
      assert.equal(package_.upload[0].total, png.length);
    },
  },
  {
    theirs: 'a callback that throws brings the process down',
    ours: 'the call rejects with what was thrown, and leaves no file',
    why: 'who calls can catch it',
    async shown() {
      const code = `
        const thrower = () => { throw new Error('of the caller'); };
        const inputImage = Buffer.from('${png.toString('base64')}', 'base64');
        const parameters = { apiKey: 'any', inputImage, onUploadProgress: thrower, onDownloadProgress: thrower };
        rembg(parameters).catch(({ message }) => console.log('caught ' + message)).finally(() => server.close());`;
      const client = await run([process.execPath, '-e', CLIENT_ALONE + code]);
      assert.deepEqual([client.status, client.stdout], [1, '']);
      assert.match(client.stderr, /Error: of the caller/);
      const without = 'const { rembg } = require("remrembg"); const server = { close() {} };';
      const package_ = await run([process.execPath, '-e', without + code]);
      assert.deepEqual([package_.status, package_.stdout], [0, 'caught of the caller\n']);
    },
  },
  {
    theirs: 'a second `cleanup()` never settles',
    ours: 'it is harmless',
    why: 'cleaning up in `finally` is common',
    async shown() {
      const [client, package_] = [
        await theirs.rembg({ apiKey, ...silent, inputImage: png }),
        await ours.rembg({ apiKey, inputImage: png }),
      ];
      const late = Symbol('late');
      const second = async ({ cleanup }) => {
        await cleanup();
        return Promise.race([cleanup(), new Promise((resolve) => setTimeout(resolve, 500, late))]);
      };
      assert.equal(await second(client), late);
      // Ours settles, and no clock says when.
      assert.equal(await package_.cleanup(), undefined);
      assert.equal(await package_.cleanup(), undefined);
    },
  },
  {
    theirs: 'the file of a result stays open until `cleanup()`',
    ours: 'it is closed',
    why: 'thousands of results that are kept do not run out of descriptors',
    async shown(t) {
      if (process.platform !== 'linux') {
        t.skip('needs /proc');
        return;
      }
      const isOpen = ({ outputImagePath }) => descriptors().includes(outputImagePath);
      const client = await theirs.rembg({ apiKey, ...silent, inputImage: png });
      const package_ = await ours.rembg({ apiKey, inputImage: png });
      assert.deepEqual([isOpen(client), isOpen(package_)], [true, false]);
      await Promise.all([client.cleanup(), package_.cleanup()]);
    },
  },
  {
    theirs: 'where a disk is full, part of the file stays',
    ours: 'the same error, and nothing stays',
    why: 'a full disk is not made fuller',
    async shown() {
      const picture = written(temporary(), 'noise.png', await noise(200, 200).png().toBuffer());
      const code = `
        rembg({ apiKey: 'any', inputImage: ${JSON.stringify(picture)}, options: { format: 'PNG', keep_colors: true }, onUploadProgress() {}, onDownloadProgress() {} })
          .catch(({ message }) => {
            const left = require('fs').readdirSync(require('os').tmpdir()).filter((name) => name.startsWith('rembg-'));
            console.log(message, left.length);
          })
          .finally(() => server.close());`;
      const limited = async (CODE) => {
        const env = { TMPDIR: temporary(), CODE, NODE: process.execPath };
        return (await run(['sh', '-c', 'ulimit -f 64 && exec "$NODE" -e "$CODE"'], { env })).stdout;
      };
      const error = '❌ Request failed EFBIG: file too large, write';
      assert.equal(await limited(CLIENT_ALONE + code), `${error} 1\n`);
      const without = 'const { rembg } = require("remrembg"); const server = { close() {} };';
      assert.equal(await limited(without + code), `${error} 0\n`);
    },
  },
  {
    theirs: '`import x from …` gives the module, to be called as `x.rembg` or `x.default`',
    ours: 'it gives the function, with itself as `x.rembg` and `x.default`',
    why: 'both ways of writing it work',
    async shown() {
      const kinds = async (name) => {
        const code = `import x from '${name}'; console.log(typeof x, typeof x.rembg, typeof x.default);`;
        return (await run([process.execPath, '--input-type=module', '-e', code])).stdout;
      };
      assert.equal(await kinds('@remove-background-ai/rembg.js'), 'object function function\n');
      assert.equal(await kinds('remrembg'), 'function function function\n');
    },
  },
  {
    theirs: 'called with nothing at all it throws',
    ours: 'it rejects',
    why: 'an asynchronous function has one way to fail',
    async shown() {
      assert.throws(() => theirs.rembg(), TypeError);
      assert.ok((await rejected(ours.rembg())) instanceof TypeError);
    },
  },
  {
    theirs: 'its types ask for `w`, `h` and both callbacks',
    ours: 'they are optional',
    why: 'they are so at run time',
    async shown() {
      const client = readFileSync(join(CLIENT, 'dist/index.d.ts'), 'utf8');
      const package_ = readFileSync(join(folderOf('remrembg'), 'index.d.ts'), 'utf8');
      for (const name of ['w', 'h', 'onUploadProgress', 'onDownloadProgress']) {
        assert.match(client, new RegExp(`\\b${name}: `), name);
        assert.match(package_, new RegExp(`\\b${name}\\?: `), name);
        assert.doesNotMatch(package_, new RegExp(`\\b${name}: `), name);
      }
    },
  },
];

/** The client in a program of its own, with a server that answers with bytes. */
const CLIENT_ALONE = `
  const { createServer } = require('http');
  const client = require.resolve('@remove-background-ai/rembg.js');
  const axios = require('module').createRequire(client)('axios');
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end(Buffer.alloc(100000)));
  }).listen(0, '127.0.0.1');
  const listening = new Promise((resolve) => server.on('listening', resolve));
  axios.defaults.adapter = async (config) => {
    await listening;
    const url = 'http://127.0.0.1:' + server.address().port;
    return axios.getAdapter('http')({ ...config, url, proxy: false });
  };
  const { rembg } = require(client);`;

/** The files that the process has open. */
function descriptors() {
  return readdirSync('/proc/self/fd').map((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`);
    } catch {
      return '';
    }
  });
}

for (const { theirs: client, ours: package_, shown } of DIFFERENCES) {
  test(`differs: ${client} | ${package_}`, shown);
}

test('the table in docs/migrating-from-rembg.js.md is this one', () => {
  const rows = DIFFERENCES.map(({ theirs, ours, why }) => `| ${theirs} | ${ours} | ${why} |\n`);
  const table = `\n| rembg.js | remrembg | because |\n|---|---|---|\n${rows.join('')}\n`;
  const [start, end] = ['<!-- differences: generated, see CONTRIBUTING.md -->\n', '<!-- end of differences -->'];
  const path = join(ROOT, 'docs/migrating-from-rembg.js.md');
  const [before, rest] = readFileSync(path, 'utf8').split(start);
  const [found, after] = rest.split(end);
  if (process.env.REMREMBG_GENERATE) writeFileSync(path, before + start + table + end + after);
  else assert.equal(found, table, 'stale, run `make generate`');
});
