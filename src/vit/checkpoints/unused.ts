import { InputError } from '../../base/errors.js';
import type { DType } from '../../onnx/dtype.js';
import type { Scheme } from './scheme.js';
import type { CheckpointTensors } from './tensors.js';

const FLOATS: ReadonlySet<DType> = new Set(['float64', 'float32', 'float16', 'bfloat16']);

/**
 * Accounts for the tensors that the model was not built from: none is left out without a word.
 *
 * @param checkpoint - all tensors
 * @param scheme - how they are named, and which are of use for training alone
 * @param used - the names of those that the model was built from
 * @param blocks - how many blocks it has
 * @returns notes, in sentences, on tensors that are no weights
 * @throws InputError at a tensor of numbers that may change what the model computes
 */
export function accountForUnused(
  { source, tensors, unreadable }: CheckpointTensors,
  scheme: Scheme,
  used: ReadonlySet<string>,
  blocks: number,
): string[] {
  const unused = [...tensors].filter(
    ([name]) => !used.has(name) && !scheme.harmless.some((pattern) => pattern.test(name)),
  );
  const asideOf = (name: string): string | undefined =>
    scheme.aside.find(({ pattern }) => pattern.test(name))?.what;
  const left = unused.filter(([name]) => asideOf(name) === undefined);
  const aside = new Set(unused.flatMap(([name]) => asideOf(name) ?? []));
  const notes = [...aside].map((what) => `Left out: ${what}.`);
  const floats = left.flatMap(([name, { dtype }]) => (FLOATS.has(dtype) ? [name] : []));
  const first = floats.find((name) => name.endsWith('.weight')) ?? floats[0];
  if (first !== undefined) {
    const head = scheme.headLike.test(first);
    const others = floats.length === 1 ? '' : ` (nor ${floats.length - 1} more that are here)`;
    throw new InputError({
      source,
      place: `tensor ${first}`,
      found: `a tensor that a plain ViT of this architecture does not have${others}`,
      expected: head
        ? `a classifier of one linear layer, ${scheme.heads.map((set) => set.join(' and ')).join(' or ') || 'or none'}`
        : `the ${blocks} blocks of a ViT or DeiT, as ${scheme.name} names them`,
      ...(head && {
        hint: 'If nothing but dropout stands around that layer, save it under that name; EdgeFlex fits a head to a model that has none.',
      }),
    });
  }
  const ignored = left.map(([name, { dtype }]) => `${name} (${dtype})`);
  for (const [name, type] of unreadable) ignored.push(`${name} (${type})`);
  if (ignored.length === 0) return notes;
  const shown = ignored.slice(0, 5).join(', ');
  const more = ignored.length > 5 ? ` and ${ignored.length - 5} more` : '';
  return [
    ...notes,
    `Tensors of types that no weights have were left out, as no plain ViT reads them: ${shown}${more}.`,
  ];
}
