// When EdgeFlex is installed from its package: onnxruntime-node's own install script would fetch CUDA's libraries, some hundred
// megabytes that EdgeFlex never uses, and fail without a network. It fetches none that it finds; npm runs the "preinstall" of every
// package before the "postinstall" of any. Whoever wants them asks for them (ONNXRUNTIME_NODE_INSTALL=cuda12), which fetches them all the same.
const { existsSync, mkdirSync, writeFileSync } = require('node:fs');
const { dirname, join } = require('node:path');

const libraries = ['cuda', 'shared', 'tensorrt'].map((name) => `libonnxruntime_providers_${name}.so`);

if (process.platform === 'linux' && process.arch === 'x64' && !process.env.ONNXRUNTIME_NODE_INSTALL)
  try {
    const runtime = dirname(require.resolve('onnxruntime-node/package.json'));
    const folder = join(runtime, 'bin', 'napi-v6', 'linux', 'x64');
    mkdirSync(folder, { recursive: true });
    for (const library of libraries) {
      const path = join(folder, library);
      if (!existsSync(path)) writeFileSync(path, '');
    }
  } catch (error) {
    console.error(`edgeflex: CUDA's libraries will be fetched: ${error.message}`);
  }
