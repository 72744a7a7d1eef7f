// The page: pictures go to POST /rmbg as any client sends them, and come back as the server made them.
'use strict';

/** Requests at once; the server bounds its own work, so more would only wait there. */
const AT_ONCE = 2;
/** How often a busy server is asked again. */
const TRIES = 20;

const byId = (id) => document.getElementById(id);
const form = byId('options');
const list = byId('list');
const again = byId('again');

/** Every picture on the page: its file, its card, the request that is under way, and how often it was asked for. */
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
  pictures.forEach(enqueue);
});
form.addEventListener('reset', clearErrors);
form.addEventListener('input', ({ target }) => clearError(target));

byId('backdrops').addEventListener('change', ({ target }) => {
  list.dataset.backdrop = target.value;
});

function add(files) {
  for (const file of files) {
    const card = byId('card').content.firstElementChild.cloneNode(true);
    const picture = { file, card, request: null, run: 0 };
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

/** The state of a picture in words; progress from 0 to 1, null where it cannot be told, undefined where there is none. */
function show({ card }, words, progress, error = '') {
  card.querySelector('.state').textContent = words;
  card.querySelector('.error').textContent = error;
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
    const answer = await request(picture);
    if (answer === null || picture.run !== run) return;
    const { status, type, body, headers } = answer;
    if (status === 200) return done(picture, body, headers);
    const told = type.startsWith('application/json') ? JSON.parse(await body.text()) : { error: `Status ${status}` };
    if (picture.run !== run) return;
    if (status !== 503 || tries === 1) return failed(picture, status, told, headers('x-error-field'));
    show(picture, 'The server is busy; trying again soon', null);
    await new Promise((resolve) => setTimeout(resolve, 1000 * (Number(headers('retry-after')) || 1)));
    if (picture.run !== run) return;
  }
}

/** Sends one picture; null where that was given up. */
function request(picture) {
  return new Promise((resolve) => {
    const call = new XMLHttpRequest();
    picture.request = call;
    call.open('POST', '/rmbg');
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
    call.addEventListener('error', () => {
      show(picture, '', undefined, 'The server cannot be reached.');
      resolve(null);
    });
    call.send(fields(picture.file));
  });
}

/** Only what differs from its default is sent. */
function fields(file) {
  const data = new FormData();
  for (const control of form.querySelectorAll('[data-default]')) {
    const value = control.type === 'checkbox' ? String(control.checked) : control.value.trim();
    if (value !== '' && value !== control.dataset.default) data.append(control.name, value);
  }
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
  for (const problem of problems) {
    const place = byId(`error-${problem.field}`);
    const control = byId(problem.field === 'key' ? 'key' : `option-${problem.field}`);
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

function clearErrors() {
  for (const control of form.querySelectorAll('[aria-invalid]')) clearError(control);
}

function clearError(control) {
  control.removeAttribute('aria-invalid');
  const place = byId(`error-${control.name || control.id}`);
  if (place) place.textContent = '';
}
