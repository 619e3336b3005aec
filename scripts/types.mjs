// Writes dist/types/: one file of declarations for each entry of the package, as programs in TypeScript read them.
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

const entries = ['index', 'statistics'];
const bundle = await rollup({
  input: Object.fromEntries(entries.map((entry) => [entry, `src/library/${entry}.ts`])),
  // `npm run typecheck` checks the code; here it is only read.
  plugins: [
    dts({ tsconfig: 'tsconfig.types.json', compilerOptions: { noCheck: true } }),
    // TypeScript 6.0 writes the key "-Infinity" of an enumeration in a form that it refuses to read.
    { name: 'quoted-keys', renderChunk: (code) => code.replaceAll('[-Infinity]:', '"-Infinity":') },
  ],
  onwarn({ message }) {
    throw new Error(message);
  },
});
await bundle.write({ dir: 'dist/types', entryFileNames: '[name].d.ts', chunkFileNames: '[name].d.ts' });
await bundle.close();
