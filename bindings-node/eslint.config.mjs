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
];
