// The same module as `require` gives, so that there is one of everything.

import all from './dist/index.js';

export * from './dist/index.js';
export default all.default;
