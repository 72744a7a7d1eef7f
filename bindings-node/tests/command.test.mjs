// The command that the package brings.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';

import { ball, serving } from './help.mjs';

const posix = { skip: process.platform === 'win32' ? 'needs the signals of Unix' : false };

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} ends the service once what it accepted is answered`, posix, async () => {
    const { child, url } = await serving();
    const picture = await ball(40).png().toBuffer();
    const part = 'Content-Disposition: form-data; name="image"; filename="a.png"';
    const body = Buffer.concat([Buffer.from(`--x\r\n${part}\r\n\r\n`), picture, Buffer.from('\r\n--x--\r\n')]);
    const head = [
      'POST /rmbg HTTP/1.1',
      'Host: localhost',
      'Content-Type: multipart/form-data; boundary=x',
      `Content-Length: ${body.length}`,
      // It is answered when the service begins to read.
      'Expect: 100-continue',
      'Connection: close',
    ];
    const socket = connect(new URL(url).port, '127.0.0.1').setEncoding('latin1');
    let answer = '';
    socket.on('data', (text) => (answer += text));
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    await once(socket, 'data');
    assert.match(answer, /^HTTP\/1.1 100 /);
    child.kill(signal);
    socket.write(body);
    const [[status]] = await Promise.all([once(child, 'exit'), once(socket, 'close')]);
    assert.match(answer, /\r\nHTTP\/1.1 200 /);
    assert.equal(status, 0);
  });
}
