// The page: pictures go to POST /rmbg as any client sends them, and come back as the server made them.
'use strict';

/** Requests at once; the server bounds its own work, so more would only wait there. */
const AT_ONCE = 2;
/** How often a busy server is asked again. */
const TRIES = 20;
/** Seconds that are waited where requests came too quickly; a limit for the day or the month is told. */
const MOST_WAIT = 120;

const byId = (id) => document.getElementById(id);
const form = byId('options');
const list = byId('list');
const again = byId('again');

/**
 * Every picture on the page: its file, its card, the request that is under way, how often it was asked for, and by which
 * choice of options its result was made.
 */
const pictures = [];
const waiting = [];
let running = 0;

// A key is kept until the tab is closed.
byId('key').value = sessionStorage.getItem('key') ?? '';
byId('key').addEventListener('input', ({ target }) => sessionStorage.setItem('key', target.value));

byId('choose').addEventListener('change', ({ target }) => {
  add(target.files);
  target.value = '';
});

document.addEventListener('paste', ({ clipboardData }) => add(clipboardData.files));

const drop = byId('drop');
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  drop.classList.add('over');
});
document.addEventListener('dragleave', ({ relatedTarget }) => {
  if (relatedTarget === null) drop.classList.remove('over');
});
document.addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  add(event.dataTransfer.files);
});

form.addEventListener('submit', (event) => {
  event.preventDefault();
  clearErrors();
  const chosen = choice();
  const left = pictures.filter(({ made }) => made !== chosen);
  left.forEach(enqueue);
  if (left.length === 0) byId('said').textContent = 'All pictures are done with these options.';
});
form.addEventListener('reset', () => {
  clearErrors();
  // The key is no option, and stays.
  setTimeout(() => {
    byId('key').value = sessionStorage.getItem('key') ?? '';
  });
});
form.addEventListener('input', ({ target }) => clearError(target));

byId('backdrops').addEventListener('change', ({ target }) => {
  list.dataset.backdrop = target.value;
});

function add(files) {
  for (const file of files) {
    const card = byId('card').content.firstElementChild.cloneNode(true);
    const picture = { file, card, request: null, run: 0, made: null };
    const name = file.name || 'pasted picture';
    card.querySelector('h2').textContent = name;
    const slider = card.querySelector('input');
    slider.setAttribute('aria-label', `${name}: how much is shown as it was`);
    slider.addEventListener('input', () => {
      slider.parentElement.style.setProperty('--at', `${slider.value}%`);
    });
    const before = card.querySelector('.before');
    before.src = URL.createObjectURL(file);
    before.alt = `${name} as it was`;
    card.querySelector('.after').alt = `${name} without its background`;
    const remove = card.querySelector('.remove');
    remove.setAttribute('aria-label', `Remove ${name}`);
    remove.addEventListener('click', () => forget(picture));
    card.querySelector('a').setAttribute('aria-label', `Download ${name} without its background`);
    card.querySelector('progress').setAttribute('aria-label', `How far ${name} is`);
    const retry = card.querySelector('.retry');
    retry.setAttribute('aria-label', `Try again: ${name}`);
    retry.addEventListener('click', () => enqueue(picture));
    list.append(card);
    pictures.push(picture);
    enqueue(picture);
  }
  looks();
}

/** What of the page depends on whether there are pictures. */
function looks() {
  again.disabled = pictures.length === 0;
  byId('backdrops').hidden = pictures.length === 0;
}

function forget(picture) {
  picture.run += 1;
  picture.request?.abort();
  pictures.splice(pictures.indexOf(picture), 1);
  if (waiting.includes(picture)) waiting.splice(waiting.indexOf(picture), 1);
  for (const image of picture.card.querySelectorAll('img')) URL.revokeObjectURL(image.src);
  picture.card.remove();
  looks();
  byId('choose').focus();
}

function enqueue(picture) {
  if (waiting.includes(picture)) return;
  picture.run += 1;
  picture.request?.abort();
  picture.made = null;
  show(picture, 'Waiting', null);
  waiting.push(picture);
  next();
}

function next() {
  while (running < AT_ONCE && waiting.length > 0) {
    running += 1;
    const picture = waiting.shift();
    send(picture, picture.run).finally(() => {
      running -= 1;
      next();
    });
  }
}

/** The options that are chosen, as text. */
function choice() {
  const { name, size, lastModified } = byId('mask-file').files[0] ?? {};
  return JSON.stringify([...options(), name, size, lastModified]);
}

/** The state of a picture in words; progress from 0 to 1, null where it cannot be told, undefined where there is none. */
function show({ card }, words, progress, error = '') {
  card.querySelector('.state').textContent = words;
  card.querySelector('.error').textContent = error;
  card.querySelector('.retry').hidden = error === '';
  const bar = card.querySelector('progress');
  bar.hidden = progress === undefined;
  if (typeof progress === 'number') bar.value = progress;
  else bar.removeAttribute('value');
}

/** Sends a picture until it is answered, unless it is asked for anew meanwhile. */
async function send(picture, run) {
  if (/[^\x20-\x7e]/.test(byId('key').value)) {
    return failed(picture, 401, { error: 'A key has letters, digits and signs of ASCII alone.' });
  }
  for (let tries = TRIES; ; tries -= 1) {
    const chosen = choice();
    const answer = await request(picture);
    if (answer === null || picture.run !== run) return;
    const { status, type, body, headers } = answer;
    if (status === 200) {
      picture.made = chosen;
      return done(picture, body, headers);
    }
    const told = await refusal(status, type, body);
    if (picture.run !== run) return;
    const wait = Number(headers('retry-after')) || 1;
    const passes = status === 503 || (status === 429 && headers('retry-after') && wait <= MOST_WAIT);
    if (!passes || tries === 1) return failed(picture, status, told, headers('x-error-field'));
    show(picture, 'The server is busy; trying again soon', null);
    await new Promise((resolve) => setTimeout(resolve, 1000 * wait));
    if (picture.run !== run) return;
  }
}

/** What a server says that does not give a picture; a proxy before it may say anything. */
async function refusal(status, type, body) {
  try {
    if (type.startsWith('application/json')) return JSON.parse(await body.text());
  } catch {
    // Told by its status.
  }
  return { error: `Status ${status}` };
}

/** Sends one picture; null where that was given up. */
function request(picture) {
  return new Promise((resolve) => {
    const call = new XMLHttpRequest();
    picture.request = call;
    call.open('POST', 'rmbg');
    call.responseType = 'blob';
    const key = byId('key').value;
    if (key) call.setRequestHeader('x-api-key', key);
    call.upload.addEventListener('progress', ({ loaded, total }) => {
      const sent = total > 0 ? loaded / total : 1;
      show(picture, sent < 1 ? `Sending: ${Math.round(sent * 100)} %` : 'Working', sent < 1 ? sent : null);
    });
    const answered = () => ({
      status: call.status,
      type: call.getResponseHeader('content-type') ?? '',
      body: call.response,
      headers: (name) => call.getResponseHeader(name),
    });
    call.addEventListener('load', () => resolve(answered()));
    call.addEventListener('abort', () => resolve(null));
    call.addEventListener('error', async () => {
      const { run } = picture;
      const file = await picture.file
        .slice(0, 1)
        .arrayBuffer()
        .catch(() => null);
      const why = file
        ? 'The server cannot be reached.'
        : 'The file cannot be read: is it a folder, or was it changed?';
      if (picture.run === run) failed(picture, 0, { error: why });
      resolve(null);
    });
    call.send(fields(picture.file));
  });
}

/** Names and values of the options that differ from their defaults. */
function options() {
  const values = [...form.querySelectorAll('[data-default]')].map((control) => [
    control.name,
    control.type === 'checkbox' ? String(control.checked) : control.value.trim(),
    control.dataset.default,
  ]);
  return values.filter(([, value, unset]) => value !== '' && value !== unset).map(([name, value]) => [name, value]);
}

function fields(file) {
  const data = new FormData();
  for (const [name, value] of options()) data.append(name, value);
  const mask = byId('mask-file').files[0];
  if (mask) data.append('mask', mask);
  data.append('image', file, file.name || 'pasted.png');
  return data;
}

function done(picture, body, headers) {
  const { card, file } = picture;
  const after = card.querySelector('.after');
  URL.revokeObjectURL(after.src);
  after.src = URL.createObjectURL(body);
  card.querySelector('.compare').hidden = false;
  const link = card.querySelector('a');
  link.href = after.src;
  link.download = `${(file.name || 'pasted').replace(/\.[^.]*$/, '')}-cutout.${body.type.replace('image/', '')}`;
  link.hidden = false;
  const size = `${headers('x-width')} × ${headers('x-height')}`;
  const nothing = headers('x-bounds') === 'none' ? ', nothing was found in it' : '';
  show(picture, `${size}, ${Math.ceil(body.size / 1024)} KB${nothing}`, undefined);
  byId('said').textContent = `${file.name || 'The pasted picture'} is done: ${size} pixels${nothing}.`;
}

/** Each error goes to its field; what has none, or is the picture's, to the picture. */
function failed(picture, status, { error, details }, field) {
  const problems = details ?? [{ field: status === 401 ? 'key' : (field ?? 'image'), message: error }];
  const own = [];
  // A result that was made before is not what the options ask for now.
  picture.made = null;
  for (const part of ['.compare', 'a']) picture.card.querySelector(part).hidden = true;
  for (const problem of problems) {
    const place = byId(`error-${placeOf(problem)}`);
    const control = byId(problem.field === 'key' ? 'key' : placeOf(problem)) ?? byId(`option-${problem.field}`);
    if (!place || !control) {
      own.push(problem.message);
      continue;
    }
    place.textContent = problem.message;
    control.setAttribute('aria-invalid', 'true');
    if (byId('more').contains(control)) byId('more').open = true;
  }
  show(picture, '', undefined, own.join(' ') || 'See the options.');
}

/** The mask's file and the option of that name have one field. */
function placeOf({ field, message }) {
  const isFile = field === 'mask' && byId('mask-file').files.length > 0 && !message.includes("'mask");
  return isFile ? 'mask-file' : field;
}

function clearErrors() {
  for (const control of form.querySelectorAll('[aria-invalid]')) clearError(control);
}

function clearError(control) {
  control.removeAttribute('aria-invalid');
  const place = byId(`error-${control.name || control.id}`);
  if (place) place.textContent = '';
}
