import tseslint from 'typescript-eslint';

/**
 * Which folders a folder of engine/ may import from: itself, model, runtime, and those before it in its own half.
 * (design: reading = ldap → extract → enrich; applying = transport → account)
 */
const allowed = {
  model: [],
  runtime: ['model'],
  ldap: ['model', 'runtime'],
  extract: ['model', 'runtime', 'ldap'],
  enrich: ['model', 'runtime', 'ldap', 'extract'],
  transport: ['model', 'runtime'],
  account: ['model', 'runtime'],
};
const folders = Object.keys(allowed);

const directions = folders.map((folder) => ({
  files: [`engine/${folder}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            group: [
              ...folders
                .filter((other) => other !== folder && !allowed[folder].includes(other))
                .flatMap((other) => [`**/${other}/**`]),
              '**/nodes/**',
              '**/test/**',
              'node-red*',
              '@node-red/*',
            ],
            message: `engine/${folder} may import from: ${['itself', ...allowed[folder]].join(', ')}.`,
          },
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', '.sample/', 'node_modules/', '**/*.mjs'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  ...directions,
  {
    files: ['nodes/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['**/test/**'], message: 'nodes/ never imports tests.' }] },
      ],
    },
  },
  {
    files: ['sample/**/*.ts', 'bench/**/*.ts', 'test/**/*.ts'],
    rules: { 'no-console': 'off', '@typescript-eslint/no-unused-expressions': 'off' },
  },
);
