/** Which patches each token stands for; tokens before the patches stand for none. */
export type TokenPatches = readonly (readonly number[])[];

/** What a block merged: indices of one image. */
export interface BlockMerge {
  /** Tokens that stay, as they follow each other behind the merge. */
  readonly kept: readonly number[];
  /** Tokens that go. */
  readonly gone: readonly number[];
  /** For each of these, the token it is merged into, which is one that stays. */
  readonly into: readonly number[];
}

/**
 * The tokens of an image before anything is merged.
 *
 * @param prefix - tokens before the patches
 * @param patches - how many
 */
export function unmerged(prefix: number, patches: number): TokenPatches {
  return Array.from({ length: prefix + patches }, (_, token) => (token < prefix ? [] : [token - prefix]));
}

/**
 * The tokens behind a merge.
 *
 * @param before - those that reached it
 * @param merge - what it did
 * @throws RangeError when it names a token that is not there
 */
export function merged(before: TokenPatches, { kept, gone, into }: BlockMerge): TokenPatches {
  const patchesOf = (token: number): readonly number[] => {
    const found = before[token];
    if (found === undefined) throw new RangeError(`there is no token ${token} of ${before.length}`);
    return found;
  };
  const after = kept.map((token) => [...patchesOf(token)]);
  for (const [index, token] of gone.entries()) {
    const joined = after[kept.indexOf(into[index] ?? NaN)];
    if (joined === undefined) throw new RangeError(`token ${token} is merged into one that is not there`);
    joined.push(...patchesOf(token));
  }
  return after;
}

/**
 * How much attention goes to each patch: what its token gets, in equal parts.
 *
 * @param weights - of each token
 * @param tokens - which patches each stands for
 * @param patches - how many there are
 */
export function overPatches(weights: readonly number[], tokens: TokenPatches, patches: number): number[] {
  const shares = Array.from({ length: patches }, () => 0);
  for (const [token, own] of tokens.entries())
    for (const patch of own) shares[patch] = (weights[token] ?? 0) / own.length;
  return shares;
}
