import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { cacheDirectory } from '../../base/paths.js';
import { limitBytes } from '../../cache/limit.js';
import { entriesIn, type StoredEntry } from '../../cache/inventory.js';
import { olderFolders } from '../../cache/older.js';
import { cache } from '../../cache/store.js';
import { verifyEntries } from '../../cache/verify.js';
import { size as sizeText } from '../../text/format.js';
import { exitCodes } from '../failure.js';
import { sizeOf } from '../options/flags.js';
import { explained } from '../help.js';
import { printJson, type CacheEntryJson } from '../json.js';
import { tableText } from '../output/lists.js';

interface JsonFlag {
  readonly json?: true;
}

/** `edgeflex cache`: what is kept between commands. */
export function cacheCommand(): Command {
  const command = new Command('cache')
    .addCommand(listCommand())
    .addCommand(sizeCommand())
    .addCommand(verifyCommand())
    .addCommand(pruneCommand())
    .addCommand(clearCommand());
  return explained(command, {
    notes: [
      'The cache is the folder EDGEFLEX_CACHE, or your user cache folder. When it exceeds EDGEFLEX_CACHE_LIMIT (default 20GiB), the least recently used entries are removed: first those that can be rebuilt here, then downloads. Entries used by a running command are kept.',
    ],
    examples: ['edgeflex cache size', ['edgeflex cache prune --limit 8GiB', 'shrink it to that size']],
  });
}

function listCommand(): Command {
  const command = new Command('list')
    .description('list every entry: kind, size, last use and content')
    .option('--json', 'print the entries, with what each was made from, as JSON')
    .action(async ({ json }: JsonFlag) => {
      const entries = (await entriesIn(cacheDirectory())).sort((a, b) => b.used - a.used);
      if (json) printJson('cache list', entries.map(documentOf));
      else {
        const table = {
          columns: [
            { key: 'kind', title: 'kind', align: 'left' },
            { key: 'size', title: 'size', align: 'right' },
            { key: 'used', title: 'used (UTC)', align: 'left' },
            { key: 'what', title: 'what it is', align: 'left' },
          ],
          rows: entries.map(({ kind, bytes, used, manifest }) => ({
            ...{ kind, size: sizeText(bytes), what: manifest?.title ?? '(unfinished)' },
            used: new Date(used).toISOString().slice(0, 16).replace('T', ' '),
          })),
          notes: [inTotal(entries)],
        } as const;
        console.log(entries.length > 0 ? tableText(table) : inTotal(entries));
      }
    });
  return explained(command, {
    examples: ['edgeflex cache list', "edgeflex cache list --json | jq -r '.[].title'"],
  });
}

function sizeCommand(): Command {
  const command = new Command('size')
    .description('show the size by kind, and the limit')
    .option('--json', 'print the sizes as JSON')
    .action(async ({ json }: JsonFlag) => {
      const entries = await entriesIn(cacheDirectory());
      const kinds = new Map<string, number>();
      for (const { kind, bytes } of entries) kinds.set(kind, (kinds.get(kind) ?? 0) + bytes);
      const limit = limitBytes();
      const older = await olderFolders(cacheDirectory());
      if (json)
        printJson('cache size', {
          ...{ directory: cacheDirectory(), bytes: bytesOf(entries), limitBytes: limit },
          ...{ kinds: Object.fromEntries(kinds), older },
        });
      else {
        const lines = [...kinds].map(
          ([kind, bytes]) => `${kind.padEnd(10)}  ${sizeText(bytes).padStart(12)}`,
        );
        lines.push(`${inTotal(entries)}; the limit is ${sizeText(limit)}`);
        if (older.length > 0)
          lines.push(
            'Left by older versions, no longer read, and not counted above; delete them by hand:',
            ...older.map(({ path, bytes }) => `  ${path}  ${sizeText(bytes)}`),
          );
        console.log(lines.join('\n'));
      }
    });
  return explained(command, { examples: ['edgeflex cache size', 'edgeflex cache size --json | jq .bytes'] });
}

function verifyCommand(): Command {
  const command = new Command('verify')
    .description('recompute the SHA-256 of every file; exit code 1 if any has changed')
    .option('--json', 'print the findings as JSON')
    .action(async ({ json }: JsonFlag) => {
      const checked = await verifyEntries(cacheDirectory());
      const damaged = checked.filter(({ damage }) => damage.length > 0);
      if (json)
        printJson('cache verify', {
          entries: checked.length,
          damaged: damaged.map(({ entry, damage }) => ({ ...documentOf(entry), damage })),
        });
      else {
        const lines = damaged.flatMap(({ entry, damage }) =>
          damage.map(({ file, found }) => `${entry.directory}: ${file}: found ${found}`),
        );
        const hint =
          damaged.length > 0
            ? ' Damaged entries are not used; they are rebuilt or downloaded again when needed.'
            : '';
        console.log([...lines, `${checked.length} entries, ${damaged.length} damaged.${hint}`].join('\n'));
      }
      if (damaged.length > 0) process.exitCode = exitCodes.gate;
    });
  return explained(command, { examples: ['edgeflex cache verify', 'edgeflex cache verify --json'] });
}

function pruneCommand(): Command {
  const command = new Command('prune')
    .description(
      'remove leftovers of killed commands, then the least recently used entries until the rest is within the limit',
    )
    .option('--limit <size>', 'such as 8GiB; default: EDGEFLEX_CACHE_LIMIT', sizeOf)
    .option('--json', 'print how much was freed as JSON')
    .action(async ({ limit, json }: JsonFlag & { readonly limit?: number }) => {
      const freed = existsSync(cacheDirectory())
        ? (await cache().sweep()) + (await cache().shrink(limit))
        : 0;
      await report(freed, json);
    });
  return explained(command, { examples: ['edgeflex cache prune', 'edgeflex cache prune --limit 8GiB'] });
}

function clearCommand(): Command {
  const command = new Command('clear')
    .description('remove everything not in use by a running command')
    .option('--json', 'print how much was freed as JSON')
    .action(async ({ json }: JsonFlag) => {
      const freed = existsSync(cacheDirectory()) ? (await cache().shrink(-1)) + (await cache().sweep()) : 0;
      await report(freed, json);
    });
  return explained(command, {
    examples: ['edgeflex cache clear', 'edgeflex cache clear --json | jq .freedBytes'],
  });
}

async function report(freedBytes: number, json: true | undefined): Promise<void> {
  const entries = await entriesIn(cacheDirectory());
  if (json)
    printJson('cache prune', {
      ...{ freedBytes, entries: entries.length, bytes: bytesOf(entries) },
    });
  else console.log(`${sizeText(freedBytes)} freed; ${inTotal(entries)}`);
}

function documentOf({ kind, digest, directory, bytes, used, manifest }: StoredEntry): CacheEntryJson {
  return {
    ...{ kind, digest: manifest?.digest ?? digest, directory, bytes, used: new Date(used).toISOString() },
    ...{
      title: manifest?.title ?? null,
      complete: manifest?.complete ?? false,
      from: manifest?.from ?? null,
    },
  };
}

function bytesOf(entries: readonly StoredEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}

function inTotal(entries: readonly StoredEntry[]): string {
  return `${entries.length} entries, ${sizeText(bytesOf(entries))} in ${cacheDirectory()}`;
}
