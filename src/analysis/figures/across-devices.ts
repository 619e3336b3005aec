import type { Estimate } from '../../stats/interval.js';
import { mcnemar, pairedOutcomes } from '../../stats/mcnemar.js';
import { wilson } from '../../stats/wilson.js';
import type { StoredCell, StoredDevice, StoredRun } from '../../store/read.js';
import type { VariantRow } from '../../store/tables.js';

/** How far a device answers as another does, of the same variant and the same images. */
export interface DeviceAgreement {
  readonly variant: VariantRow;
  readonly device: StoredDevice;
  /** The device it is held against. */
  readonly reference: StoredDevice;
  /** Share of images that get the same class, with its 95 % Wilson interval. */
  readonly same: Estimate;
  readonly images: number;
  /** Exact McNemar test of the two accuracies; undefined for synthetic weights. */
  readonly mcnemarP: number | undefined;
  /** The largest difference of two logits, as a share of the largest logit of its image. */
  readonly difference: number;
}

/**
 * How far devices agree with the run's own processor, or with its first device where that does not take part.
 *
 * @param run - the stored run
 * @returns none for a run on one device
 */
export function acrossDevices({ devices, variants, cells }: StoredRun): DeviceAgreement[] {
  const reference = devices.find(({ environment }) => environment.browser === undefined) ?? devices[0];
  if (reference === undefined) return [];
  const scored = (variant: VariantRow, device: StoredDevice): StoredCell | undefined =>
    cells.find(
      (cell) =>
        cell.variant === variant &&
        cell.device === device &&
        cell.row.kind === 'accuracy' &&
        cell.row.status === 'done',
    );
  return variants.flatMap((variant) =>
    devices.flatMap((device) => {
      if (device === reference) return [];
      const [own, other] = [scored(variant, device), scored(variant, reference)];
      const agreement = own && other && agreementOf(own, other);
      return agreement ? [{ variant, device, reference, ...agreement }] : [];
    }),
  );
}

function agreementOf(
  own: StoredCell,
  other: StoredCell,
): Pick<DeviceAgreement, 'same' | 'images' | 'mcnemarP' | 'difference'> | undefined {
  const [mine, theirs] = [own.predictions, other.predictions];
  if (!mine || !theirs || mine.labels.length !== theirs.labels.length) return undefined;
  if (!own.logits || own.logits.values.length !== other.logits?.values.length) return undefined;
  const images = mine.labels.length;
  const same = mine.predicted.filter((choice, image) => choice === theirs.predicted[image]).length;
  return {
    same: wilson(same, images),
    images,
    mcnemarP: own.variant.synthetic
      ? undefined
      : mcnemar(pairedOutcomes(mine.labels, theirs.predicted, mine.predicted)),
    difference: largestDifference(own.logits.values, other.logits.values, other.logits.classes),
  };
}

function largestDifference(own: Float32Array, other: Float32Array, classes: number): number {
  let most = 0;
  for (let image = 0; image < other.length; image += classes) {
    let largest = 0;
    let apart = 0;
    for (let at = image; at < image + classes; at++) {
      largest = Math.max(largest, Math.abs(other[at]!));
      apart = Math.max(apart, Math.abs(own[at]! - other[at]!));
    }
    if (apart > 0) most = Math.max(most, apart / largest);
  }
  return most;
}
