// The compiler checks what is in ts/.
import js from '@eslint/js';
import globals from 'globals';

export default [
  { ignores: ['dist/', '.cache/'] },
  js.configs.recommended,
  {
    languageOptions: { globals: globals.node },
    rules: { 'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }] },
  },
  // What runs in the page stands among what drives it.
  { files: ['tests/page.test.mjs'], languageOptions: { globals: globals.browser } },
];
