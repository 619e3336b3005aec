import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'reports/', 'results/', 'coverage/', '**/*_pb.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          name: 'better-sqlite3',
          allowTypeImports: true,
          message: 'base/sqlite.ts has the version that runs on this Node.',
        },
      ],
    },
  },
  {
    // Typed arrays are indexed in every numeric loop; the index is checked by the loop, not by the type.
    files: [
      'src/stats/**',
      'src/onnx/half.ts',
      'src/compress/{correct-head,head,linalg,merge-tokens,observe,profile,prune,prune-attention,quantize,resize-patches}/**',
      'src/base/{finite,random,similar}.ts',
      'src/data/records.ts',
      'src/vit/derived.ts',
      'src/vit/checkpoints/positions.ts',
      'src/vit/graph/{constants,linear,merge-products,weight-only}.ts',
      'src/analysis/figures/across-devices.ts',
      'src/data/{grey,resample}.ts',
      'src/data/images/{convert,resize,perceptual}.ts',
    ],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    // A test that finds nothing where something must be fails at once.
    files: ['{bench,test}/**'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['**/*.js', '{scripts,examples,docs}/**/*.{mjs,cjs}'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly', AbortSignal: 'readonly' },
    },
  },
);
