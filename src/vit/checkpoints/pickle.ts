import { InputError } from '../../base/errors.js';

/** What PyTorch pickles are called. */
const PICKLE = /\.(bin|pt|pth|pkl|ckpt)$/;

/**
 * Why a pickle that `torch.save` did not write is not read.
 *
 * @param path - the file
 */
export function otherPickle(path: string): InputError {
  return new InputError({
    source: path,
    found: 'a pickle that torch.save did not write, or another file',
    expected: 'model.safetensors, or a file that torch.save wrote',
    hint:
      'Convert it where you trust it, with PyTorch:\n' +
      '  python -c "import sys, torch; from safetensors.torch import save_file; ' +
      "w = torch.load(sys.argv[1], map_location='cpu', weights_only=True); w = w.get('model', w); " +
      "save_file({k: v.contiguous() for k, v in w.items()}, 'model.safetensors')\" " +
      path,
  });
}

/** Whether a file's name is that of a pickle. */
export function isPickle(path: string): boolean {
  return PICKLE.test(path);
}
