// The service's pages in a browser, as people use them.
//
// SCREENSHOTS names a folder for pictures of them, to be looked at.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { ball, NO_PHOTO, photo, required, run, serve, sharp, temporary, written } from './help.mjs';

const { SCREENSHOTS } = process.env;
const CHROMIUM = (await run(['sh', '-c', 'command -v chromium || true'])).stdout.trim();
const skip = CHROMIUM ? false : 'needs chromium, run `make tools`';
const withPhoto = { skip: skip || NO_PHOTO };

const service = skip ? '' : await serve();
const folder = temporary();
const red = written(folder, 'red ball.png', await ball(40).png().toBuffer());
const large = written(folder, 'large.jpg', await ball(200).jpeg().toBuffer());

const browser = skip
  ? undefined
  : await required('playwright-core').chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
after(() => browser?.close());

/** A page of the service; whatever it asks of another host, or the policy forbids, fails the test. */
async function opened(t, path = '/', { url = service, ...settings } = {}) {
  const context = await browser.newContext({ acceptDownloads: true, ...settings });
  t.after(() => context.close());
  const page = await context.newPage();
  const wrong = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !/^(blob|data):/.test(request.url())) wrong.push(request.url());
  });
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (message) => {
    // A refused request is told of there too.
    if (message.type() === 'error' && !/the server responded with a status of|net::ERR_FAILED/.test(message.text()))
      wrong.push(message.text());
  });
  t.after(() => assert.deepEqual(wrong, []));
  await page.goto(url + path);
  return page;
}

/** The cards, once so many are done. */
async function done(page, count) {
  const cards = page.locator('.card:has(a.button:visible)');
  await cards.nth(count - 1).waitFor();
  return cards;
}

async function pictured(page, name, more = {}) {
  if (SCREENSHOTS) await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), ...more });
}

test('several pictures are chosen, done, shown and downloaded as the API makes them', { skip }, async (t) => {
  const page = await opened(t);
  await page.locator('#choose').setInputFiles([red, large]);
  const cards = await done(page, 2);
  assert.deepEqual(await page.locator('.card h2').allTextContents(), ['red ball.png', 'large.jpg']);
  assert.match(await cards.first().locator('.state').textContent(), /^80 × 40, \d+ KB$/);
  const [download] = await Promise.all([page.waitForEvent('download'), cards.first().getByText('Download').click()]);
  assert.equal(download.suggestedFilename(), 'red ball-cutout.webp');
  const form = new FormData();
  form.append('image', new Blob([readFileSync(red)]), 'red ball.png');
  const answer = await fetch(`${service}/rmbg`, { method: 'POST', body: form });
  assert.deepEqual(readFileSync(await download.path()), Buffer.from(await answer.arrayBuffer()));
  const shown = await cards
    .first()
    .locator('.after')
    .evaluate(({ naturalWidth, complete }) => [naturalWidth, complete]);
  assert.deepEqual(shown, [80, true]);
  await cards.first().getByText('Remove').click();
  assert.equal(await page.locator('.card').count(), 1);
});

for (const way of ['drop', 'paste']) {
  test(`a picture comes by ${way}`, { skip }, async (t) => {
    const page = await opened(t);
    const bytes = [...readFileSync(red)];
    await page.evaluate(
      ([bytes, way]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], 'given.png', { type: 'image/png' }));
        const Kind = way === 'drop' ? DragEvent : ClipboardEvent;
        const words = way === 'drop' ? { dataTransfer: data } : { clipboardData: data };
        document.body.dispatchEvent(new Kind(way, { ...words, bubbles: true, cancelable: true }));
      },
      [bytes, way],
    );
    const cards = await done(page, 1);
    assert.equal(await cards.locator('h2').textContent(), 'given.png');
  });
}

test('options are sent, and each error stands at its field', { skip }, async (t) => {
  const page = await opened(t);
  await page.getByLabel('width', { exact: true }).fill('abc');
  await page.getByLabel('angle', { exact: true }).fill('500');
  await page.locator('#choose').setInputFiles(red);
  const error = page.locator('#error-w');
  await error.filter({ hasText: 'must be' }).waitFor();
  assert.equal(await error.textContent(), "'w' must be an integer, got: 'abc'");
  assert.equal(
    await page.locator('#error-angle').textContent(),
    "'angle' must be between -360 and 360 degrees, got: 500.0",
  );
  assert.equal(await page.locator('#option-w').getAttribute('aria-invalid'), 'true');
  await pictured(page, 'errors');

  // One alone, of an option that is folded away.
  await page.getByLabel('width', { exact: true }).fill('20');
  await page.getByLabel('angle', { exact: true }).fill('90');
  await page.locator('#more summary').click();
  await page.getByLabel('keep', { exact: true }).fill('here');
  await page.locator('#more summary').click();
  await page.getByText('Apply to all pictures').click();
  await page.locator('#error-keep').filter({ hasText: 'keep' }).waitFor();
  assert.equal(await page.locator('#error-w').textContent(), '');
  assert.ok(await page.locator('#option-keep').isVisible(), 'it is unfolded');

  await page.getByLabel('keep', { exact: true }).fill('');
  await page.getByLabel('mask', { exact: true }).check();
  await page.getByLabel('format', { exact: true }).selectOption('png');
  await page.getByText('Apply to all pictures').click();
  const cards = await done(page, 1);
  assert.match(await cards.locator('.state').textContent(), /^10 × 20, /);
  const [download] = await Promise.all([page.waitForEvent('download'), cards.getByText('Download').click()]);
  assert.equal((await sharp(await download.path()).metadata()).channels, 1, 'a grey picture');
});

test('what is no picture is told at the picture', { skip }, async (t) => {
  const page = await opened(t);
  await page.locator('#choose').setInputFiles({ name: 'text.png', mimeType: 'image/png', buffer: Buffer.from('text') });
  const error = page.locator('.card .error');
  await error.filter({ hasText: 'File' }).waitFor();
  assert.equal(await error.textContent(), 'File does not appear to be a valid image (invalid file signature)');
  assert.equal(await error.getAttribute('role'), 'alert');
});

test('a busy server is asked again, once for each picture however often the options change', { skip }, async (t) => {
  const page = await opened(t);
  let sent = 0;
  await page.route('**/rmbg', (route) => {
    sent += 1;
    if (sent > 1) return route.continue();
    const busy = { error: 'The server is busy. Please try again in a moment.', status: 503 };
    return route.fulfill({ status: 503, headers: { 'retry-after': '1' }, json: busy });
  });
  await page.locator('#choose').setInputFiles(red);
  await page.getByText('The server is busy; trying again soon').waitFor();
  await page.getByText('Apply to all pictures').click();
  const cards = await done(page, 1);
  assert.match(await cards.locator('.state').textContent(), /^80 × 40, /);
  // Two would be asked for at once by now.
  await page.waitForTimeout(1500);
  assert.equal(sent, 2);
});

test('what failed is sent again alone, and what is done only with other options', { skip }, async (t) => {
  const page = await opened(t);
  let sent = 0;
  await page.route('**/rmbg', async (route) => {
    sent += 1;
    if (sent === 1) return route.fulfill({ status: 500, contentType: 'application/json', body: '<html>' });
    if (sent === 2) {
      const limit = { error: 'You have no credits left.', status: 429 };
      return route.fulfill({ status: 429, headers: { 'retry-after': '86400' }, json: limit });
    }
    return route.continue();
  });
  const card = page.locator('.card');
  await page.locator('#choose').setInputFiles(red);
  await card.locator('.error').filter({ hasText: 'Status 500' }).waitFor();
  await card.getByRole('button', { name: 'Try again' }).click();
  await card.locator('.error').filter({ hasText: 'no credits' }).waitFor();
  await page.locator('#choose').setInputFiles(large);
  await done(page, 1);
  await page.getByText('Apply to all pictures').click();
  await done(page, 2);
  assert.equal(sent, 4, 'the second picture was done already');
  await page.getByText('Apply to all pictures').click();
  await page.locator('#said').filter({ hasText: 'All pictures are done with these options.' }).waitFor();
  assert.equal(sent, 4);
  await page.getByLabel('format', { exact: true }).selectOption('png');
  await page.getByText('Apply to all pictures').click();
  await card.locator('a[download$=".png"]').nth(1).waitFor();
  assert.equal(sent, 6);
  assert.equal(await page.getByRole('button', { name: 'Try again' }).count(), 0);
});

test('a file that cannot be read, and a mask that is none, are told where they belong', { skip }, async (t) => {
  const page = await opened(t);
  const mask = { name: 'mask.png', mimeType: 'image/png', buffer: Buffer.from('text') };
  await page.locator('#more summary').click();
  await page.locator('#mask-file').setInputFiles(mask);
  await page.locator('#choose').setInputFiles(red);
  await page.locator('#error-mask-file').filter({ hasText: 'valid image' }).waitFor();
  assert.equal(await page.locator('#error-mask').textContent(), '');
  await page.locator('#mask-file').setInputFiles([]);
  assert.equal(await page.locator('#error-mask-file').textContent(), '');
  await page.getByText('Apply to all pictures').click();
  await done(page, 1);
  // As a browser finds a folder, or a file that was changed after it was chosen.
  await page.evaluate(() => {
    File.prototype.slice = () => ({ arrayBuffer: () => Promise.reject(new Error('NotFoundError')) });
  });
  await page.route('**/rmbg', (route) => route.abort());
  await page.locator('#choose').setInputFiles(red);
  await page.locator('.card .error').filter({ hasText: 'The file cannot be read' }).waitFor();
});

test('resetting the options keeps the key', { skip }, async (t) => {
  const page = await opened(t);
  await page.locator('#more summary').click();
  await page.getByLabel('API key').fill('secret');
  await page.getByLabel('width', { exact: true }).fill('20');
  await page.getByRole('button', { name: 'Reset' }).click();
  await page.waitForFunction(() => document.getElementById('key').value === 'secret');
  assert.equal(await page.getByLabel('width', { exact: true }).inputValue(), '');
});

test('where keys are needed the page asks for one', { skip }, async (t) => {
  const page = await opened(t, '/', { url: await serve('--keys', 'secret') });
  await page.locator('#choose').setInputFiles(red);
  await page.locator('#error-key').filter({ hasText: 'invalid api key' }).waitFor();
  await page.getByLabel('API key').fill('ключ');
  assert.equal(await page.locator('#error-key').textContent(), '', 'it is no longer about what stands there');
  await page.getByText('Apply to all pictures').click();
  await page.locator('#error-key').filter({ hasText: 'ASCII' }).waitFor();
  await page.getByLabel('API key').fill('secret');
  await page.getByText('Apply to all pictures').click();
  await done(page, 1);
  await page.reload();
  await page.locator('#choose').setInputFiles(red);
  await done(page, 1);
  const other = await page.context().newPage();
  await other.goto(page.url());
  assert.equal(await other.getByLabel('API key').inputValue(), '', 'the key stays in its tab');
});

test('the keyboard is enough, and every control has a name', { skip }, async (t) => {
  const page = await opened(t);
  // Long before it is needed: the browser has to be told first.
  const chosen = new Promise((resolve) => page.on('filechooser', resolve));
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'API reference');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'choose');
  await page.keyboard.press('Space');
  const chooser = await chosen;
  await chooser.setFiles(red);
  const slider = (await done(page, 1)).locator('input[type=range]');
  await slider.focus();
  const before = await slider.inputValue();
  await page.keyboard.press('ArrowRight');
  assert.equal(Number(await slider.inputValue()), Number(before) + 1);
  assert.equal(
    await slider.evaluate((input) => input.parentElement.style.getPropertyValue('--at')),
    `${Number(before) + 1}%`,
  );
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll('input, select, button, a, img')]
      .filter((e) => !(e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim() || e.alt))
      .map((e) => e.outerHTML),
  );
  assert.deepEqual(nameless, []);
  assert.equal(await page.locator('#said').getAttribute('aria-live'), 'polite');
  assert.match(await page.locator('#said').textContent(), /^red ball\.png is done: 80 × 40 pixels\.$/);
});

test('it fits a telephone, and follows light and dark', withPhoto, async (t) => {
  const seen = {};
  for (const colorScheme of ['light', 'dark']) {
    const page = await opened(t, '/', { colorScheme, viewport: { width: 360, height: 740 } });
    await page.locator('#choose').setInputFiles({ name: 'photo.png', mimeType: 'image/png', buffer: await photo(400) });
    await done(page, 1);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${wide} pixels too wide`);
    seen[colorScheme] = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await pictured(page, `telephone-${colorScheme}`);
  }
  assert.notEqual(seen.light, seen.dark);
});

test('a photo is shown before and after, on a checkerboard and on colours', withPhoto, async (t) => {
  const page = await opened(t, '/', { viewport: { width: 1200, height: 800 } });
  const buffer = await photo(512);
  await page.locator('#choose').setInputFiles({ name: 'photo.png', mimeType: 'image/png', buffer });
  const card = await done(page, 1);
  await card.locator('input[type=range]').fill('40');
  await pictured(page, 'page');
  const corner = async () => {
    const shot = await card.locator('.compare').screenshot();
    const { data, info } = await sharp(shot).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const at = (12 * info.width + info.width - 12) * 3;
    return [...data.subarray(at, at + 3)];
  };
  for (const [name, colour] of Object.entries({ white: [255, 255, 255], black: [0, 0, 0], magenta: [255, 0, 255] })) {
    await page.getByLabel(name).check();
    assert.deepEqual(await corner(), colour, name);
    await pictured(page, `on-${name}`);
  }
});

test('the reference sends a real request', { skip }, async (t) => {
  const page = await opened(t, '/api/docs/', { viewport: { width: 1200, height: 1600 } });
  await page.locator('.opblock-post .opblock-summary').click();
  await page.locator('.opblock-post input[type=file]').first().setInputFiles(red);
  await page.locator('.opblock-post .execute').click();
  const answered = page.locator('.opblock-post .live-responses-table tbody .response-col_status').first();
  await answered.waitFor();
  await pictured(page, 'reference', { fullPage: true });
  assert.match(await answered.textContent(), /^200/);
});
