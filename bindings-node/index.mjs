// The same module as `require` gives, so that there is one of everything.

export * from './dist/index.js';
export { rembg as default } from './dist/index.js';
