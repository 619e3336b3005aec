import { square } from '../../base/size.js';
import { precisions, type ProductShape } from '../../store/node-work.js';
import type { CeilingSubject } from '../../store/rooflines.js';
import { tokenCount } from '../../vit/config.js';
import { linearWidths } from '../../vit/linears.js';
import { syntheticViT } from '../../vit/synthetic.js';

const MIB = 1024 ** 2;

/** The smallest, the usual and the largest ViT: what lies between has a near neighbour among them. */
const ARCHITECTURES = ['vit-tiny', 'vit-base', 'vit-huge'] as const;

/** Side of their images, in pixels. */
const IMAGE_SIZE = 224;

/** From what lies in the second-level cache to several times what the largest last-level caches hold. */
const STREAM_BYTES = [1.5, 6, 24, 96, 384].map((mebibytes) => mebibytes * MIB);

/** A stream takes at most this share of a device's memory. */
const MEMORY_SHARE = 1 / 8;

/**
 * The products and streams that a roofline is made of: the linears of a ViT at a batch size, in every precision, and sums of
 * tensors of growing size.
 *
 * @param batch - images in a batch
 * @param memoryBytes - of the device; null where it does not tell, which leaves the largest tensors out
 */
export function subjectsOf(batch: number, memoryBytes: number | null): CeilingSubject[] {
  const shapes = ARCHITECTURES.flatMap((name) => shapesOf(name, batch));
  return [
    ...precisions.flatMap((precision) =>
      shapes.map((shape): CeilingSubject => ({ kind: 'product', precision, shape })),
    ),
    ...STREAM_BYTES.filter((bytes) => bytes <= (memoryBytes ?? UNTOLD_MEMORY) * MEMORY_SHARE).map(
      (bytes): CeilingSubject => ({
        kind: 'stream',
        bytes,
      }),
    ),
  ];
}

/** What the smallest devices have. */
const UNTOLD_MEMORY = 1024 * MIB;

/** A square linear as q, k, v and o are, and the two of the MLP. */
function shapesOf(name: (typeof ARCHITECTURES)[number], batch: number): ProductShape[] {
  const { config } = syntheticViT(name, 1, square(IMAGE_SIZE), []);
  const rows = batch * tokenCount(config);
  return (['o', 'fc1', 'fc2'] as const).map((role) => {
    const [inner, columns] = linearWidths(config, 0, role);
    return { rows, inner, columns };
  });
}
