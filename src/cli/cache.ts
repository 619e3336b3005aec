import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { cacheDirectory } from '../base/paths.js';
import { parseBytes, limitBytes } from '../cache/limit.js';
import { entriesIn, type StoredEntry } from '../cache/inventory.js';
import { olderFolders } from '../cache/older.js';
import { cache } from '../cache/store.js';
import { verifyEntries } from '../cache/verify.js';
import { mebibytes } from '../text/format.js';
import { exitCodes } from './failure.js';

interface JsonFlag {
  readonly json?: true;
}

/** `edgeflex cache`: what is kept between commands. */
export function cacheCommand(): Command {
  return new Command('cache')
    .description('what EdgeFlex keeps between commands: list, size, verify, prune, clear')
    .addHelpText(
      'after',
      `
The cache is in the folder that EDGEFLEX_CACHE names, or in the one of your user account. What was used longest ago goes when it takes
more than EDGEFLEX_CACHE_LIMIT (20GiB): first what can be made here again, then what was downloaded. What a running command uses stays.`,
    )
    .addCommand(listCommand())
    .addCommand(sizeCommand())
    .addCommand(verifyCommand())
    .addCommand(pruneCommand())
    .addCommand(clearCommand());
}

function listCommand(): Command {
  return new Command('list')
    .description('every entry: kind, size, when it was last used, what it is')
    .option('--json', 'print the entries as JSON, with what each was made from')
    .action(async ({ json }: JsonFlag) => {
      const entries = (await entriesIn(cacheDirectory())).sort((a, b) => b.used - a.used);
      if (json) console.log(JSON.stringify(entries.map(documentOf), null, 2));
      else {
        const lines = entries.map(({ kind, bytes, used, manifest }) =>
          [
            kind.padEnd(10),
            mebibytes(bytes).padStart(12),
            new Date(used).toISOString().slice(0, 16).replace('T', ' '),
            manifest?.title ?? '(unfinished)',
          ].join('  '),
        );
        console.log([...lines, inTotal(entries)].join('\n'));
      }
    });
}

function sizeCommand(): Command {
  return new Command('size')
    .description('how much it takes, by kind, and how much it may take')
    .option('--json', 'print the sizes as JSON')
    .action(async ({ json }: JsonFlag) => {
      const entries = await entriesIn(cacheDirectory());
      const kinds = new Map<string, number>();
      for (const { kind, bytes } of entries) kinds.set(kind, (kinds.get(kind) ?? 0) + bytes);
      const limit = limitBytes();
      const older = await olderFolders(cacheDirectory());
      if (json)
        console.log(
          JSON.stringify(
            {
              directory: cacheDirectory(),
              bytes: bytesOf(entries),
              limitBytes: limit,
              kinds: Object.fromEntries(kinds),
              older,
            },
            null,
            2,
          ),
        );
      else {
        const lines = [...kinds].map(
          ([kind, bytes]) => `${kind.padEnd(10)}  ${mebibytes(bytes).padStart(12)}`,
        );
        lines.push(`${inTotal(entries)}; it may take ${mebibytes(limit)}`);
        if (older.length > 0)
          lines.push(
            'Left by older versions, read by none, and not counted above; delete them by hand:',
            ...older.map(({ path, bytes }) => `  ${path}  ${mebibytes(bytes)}`),
          );
        console.log(lines.join('\n'));
      }
    });
}

function verifyCommand(): Command {
  return new Command('verify')
    .description('compute the SHA-256 of every file again; exit code 1 when one is not what it was')
    .option('--json', 'print what was found as JSON')
    .action(async ({ json }: JsonFlag) => {
      const checked = await verifyEntries(cacheDirectory());
      const damaged = checked.filter(({ damage }) => damage.length > 0);
      if (json)
        console.log(
          JSON.stringify(
            {
              entries: checked.length,
              damaged: damaged.map(({ entry, damage }) => ({ ...documentOf(entry), damage })),
            },
            null,
            2,
          ),
        );
      else {
        const lines = damaged.flatMap(({ entry, damage }) =>
          damage.map(({ file, found }) => `${entry.directory}: ${file}: found ${found}`),
        );
        const hint =
          damaged.length > 0
            ? ' What is damaged is not used; it is made or fetched anew when it is needed.'
            : '';
        console.log(
          [...lines, `${checked.length} entries, ${damaged.length} of them damaged.${hint}`].join('\n'),
        );
      }
      if (damaged.length > 0) process.exitCode = exitCodes.gate;
    });
}

function pruneCommand(): Command {
  return new Command('prune')
    .description(
      'remove what killed commands left, and what was used longest ago until the rest is within the limit',
    )
    .option('--limit <size>', 'such as 8GiB; left out, EDGEFLEX_CACHE_LIMIT', (text) =>
      parseBytes(text, '--limit'),
    )
    .option('--json', 'print what was freed as JSON')
    .action(async ({ limit, json }: JsonFlag & { readonly limit?: number }) => {
      const freed = existsSync(cacheDirectory())
        ? (await cache().sweep()) + (await cache().shrink(limit))
        : 0;
      await report(freed, json);
    });
}

function clearCommand(): Command {
  return new Command('clear')
    .description('remove everything that no running command uses')
    .option('--json', 'print what was freed as JSON')
    .action(async ({ json }: JsonFlag) => {
      const freed = existsSync(cacheDirectory()) ? (await cache().shrink(-1)) + (await cache().sweep()) : 0;
      await report(freed, json);
    });
}

async function report(freedBytes: number, json: true | undefined): Promise<void> {
  const entries = await entriesIn(cacheDirectory());
  if (json)
    console.log(JSON.stringify({ freedBytes, entries: entries.length, bytes: bytesOf(entries) }, null, 2));
  else console.log(`${mebibytes(freedBytes)} freed; ${inTotal(entries)}`);
}

function documentOf({ kind, digest, directory, bytes, used, manifest }: StoredEntry): object {
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
  return `${entries.length} entries, ${mebibytes(bytesOf(entries))} in ${cacheDirectory()}`;
}
