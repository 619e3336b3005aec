import type { BoardFacts, Core } from './probe.js';

/** Arm's own cores by the part number of their identification register (MIDR_EL1), implementer 0x41. */
const ARM_PARTS: Readonly<Record<string, string>> = {
  '0xd03': 'Cortex-A53',
  '0xd04': 'Cortex-A35',
  '0xd05': 'Cortex-A55',
  '0xd07': 'Cortex-A57',
  '0xd08': 'Cortex-A72',
  '0xd09': 'Cortex-A73',
  '0xd0a': 'Cortex-A75',
  '0xd0b': 'Cortex-A76',
  '0xd0c': 'Neoverse-N1',
  '0xd0d': 'Cortex-A77',
  '0xd40': 'Neoverse-V1',
  '0xd41': 'Cortex-A78',
  '0xd42': 'Cortex-A78AE',
  '0xd44': 'Cortex-X1',
  '0xd46': 'Cortex-A510',
  '0xd47': 'Cortex-A710',
  '0xd48': 'Cortex-X2',
  '0xd49': 'Neoverse-N2',
  '0xd4d': 'Cortex-A715',
  '0xd4e': 'Cortex-X3',
  '0xd4f': 'Neoverse-V2',
  '0xd80': 'Cortex-A520',
  '0xd81': 'Cortex-A720',
};

/** Cores of one kind. */
export interface Cluster {
  readonly name: string;
  readonly cores: readonly Core[];
  /** MHz. */
  readonly maxFrequency: number | undefined;
}

/**
 * A board's cores by kind, the fastest kind first.
 *
 * @param facts - of the board
 */
export function clustersOf({ cores }: Pick<BoardFacts, 'cores'>): Cluster[] {
  const kinds = new Map<string, Core[]>();
  for (const core of cores) {
    const key = `${core.part} ${core.maxFrequency ?? 0}`;
    const alike = kinds.get(key);
    if (alike) alike.push(core);
    else kinds.set(key, [core]);
  }
  return [...kinds.values()]
    .flatMap((members): Cluster[] => {
      const [first] = members;
      if (first === undefined) return [];
      const [implementer, part = ''] = first.part.split(' ');
      const known = implementer === '0x41' ? ARM_PARTS[part] : undefined;
      const name = known ?? (first.part === '' ? 'unknown cores' : `core ${first.part}`);
      return [{ name, cores: members, maxFrequency: first.maxFrequency }];
    })
    .sort((a, b) => (b.maxFrequency ?? 0) - (a.maxFrequency ?? 0));
}

/** A board's processor in words: `4× Cortex-A76 + 4× Cortex-A55`. */
export function processorName(facts: BoardFacts): string {
  const clusters = clustersOf(facts).map(({ name, cores }) => `${cores.length}× ${name}`);
  return [facts.board, clusters.join(' + ')].filter((part) => part).join(', ') || 'unknown';
}
