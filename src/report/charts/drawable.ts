/**
 * A spec in whose texts a space stands for each character that no chart can show: XML has no way to write most control
 * characters and half surrogate pairs, and Vega's expressions, into which names come, break at line separators.
 *
 * @param spec - what JSON can express
 */
export function drawable<Spec>(spec: Spec): Spec {
  return JSON.parse(JSON.stringify(spec), (_, value: unknown) =>
    typeof value === 'string' ? value.replace(/[\p{Cc}\p{Cs}\u2028\u2029\ufffe\uffff]/gu, ' ') : value,
  ) as Spec;
}
