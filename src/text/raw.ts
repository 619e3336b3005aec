import { withoutControls } from '../base/control.js';
import type { RawRecord } from '../model/record.js';

/**
 * What a reader must know of an ONNX file that was run as it is, in sentences.
 *
 * @param record - of the file
 */
export function rawNotes({ reason, leftOut, input, output }: RawRecord): string[] {
  const { batch, size, channels, dtype } = input;
  const images =
    batch === null ? 'any number of images' : `exactly ${batch} ${batch === 1 ? 'image' : 'images'}`;
  return [
    `An ONNX file, measured unchanged: ${images} of ${size.width} × ${size.height} pixels${channelsText(channels)} in ${dtype} at once, logits of ${output.classes} classes in ` +
      `"${withoutControls(output.name)}". ${withoutControls(unrecognisedText(reason))}`,
    ...(leftOut.length > 0 ? [`Left out, because it cannot be compressed: ${leftOut.join(', ')}.`] : []),
  ];
}

function channelsText(channels: number): string {
  if (channels === 1) return ' in grey';
  return channels === 3 ? '' : ` of ${channels} channels`;
}

/** Why a file is not compressed, as a sentence. */
function unrecognisedText(reason: RawRecord['reason']): string {
  switch (reason.kind) {
    case 'asked':
      return 'It was requested unchanged, so no recipe is applied to it.';
    case 'quantised':
      return `It is quantised already (node ${reason.node}: ${reason.operator}), so it cannot be compressed.`;
    case 'sixteen-bit':
      return `It computes in 16 bits (${reason.place}: ${reason.type}), so it cannot be compressed.`;
    case 'node': {
      const { node, operator, expected } = reason;
      const place = node === null ? 'the graph has' : `node ${node} is`;
      return `It cannot be compressed, because no model was recognised in it: ${place} ${operator ?? 'a value that no node makes'} where ${expected} was expected.`;
    }
    case 'inputs':
      return `It cannot be compressed, because no model was recognised in it: its inputs are ${reason.found} where ${reason.expected} was expected.`;
    case 'shape':
      return `It cannot be compressed: what looks like ${reason.weight} has ${reason.found} where ${reason.expected} was expected.`;
    case 'logits-differ':
      return (
        'It cannot be compressed: the model recognised in it computes logits that ' +
        (reason.difference === null ? 'are no numbers.' : `differ by ${reason.difference.toPrecision(3)}.`)
      );
    case 'not-read':
      return `It cannot be compressed, because it contains something unsupported: ${reason.found}.`;
    case 'not-run':
      return `It cannot be compressed, because it does not run with its intermediate values as outputs: ${reason.text}`;
  }
}
