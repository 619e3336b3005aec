import type { WriteStream } from 'node:tty';
import { Command } from 'commander';
import { fetchableNames, fetchDataset, type FetchedData, type FetchProgress } from '../data/fetch.js';
import { mebibytes, NONE, seconds } from '../text/format.js';
import { Bar } from './bar.js';
import { stopOnSignal } from './stop.js';
import { shellWords } from './words.js';

interface FetchFlags {
  readonly url?: string;
  readonly md5?: string;
  readonly json?: true;
}

/** `edgeflex data`: the datasets in the user's cache. */
export function dataCommand(): Command {
  return new Command('data').description('get the images that a suite needs').addCommand(fetchCommand());
}

function fetchCommand(): Command {
  return new Command('fetch')
    .description(
      'download a dataset into the cache, where every command finds it; an interrupted download goes on',
    )
    .argument('<name>', fetchableNames.join(', '))
    .option('--url <address>', 'a mirror of the official archive')
    .option('--md5 <sum>', "with --url: the archive's MD5 sum, where the mirror packs it in another way")
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nThe cache is the one of your user account, or the folder that EDGEFLEX_CACHE names.' +
        '\n\n  edgeflex data fetch cifar10      162 MiB from the official site, verified and unpacked',
    )
    .action(async (name: string, flags: FetchFlags) => {
      const view = new FetchView(process.stderr, name);
      const { signal, release } = stopOnSignal(() => view.stopped());
      try {
        const found = await fetchDataset(name, {
          url: flags.url,
          md5: flags.md5,
          signal,
          onProgress: (progress) => view.show(progress),
        });
        view.end();
        console.log(flags.json ? JSON.stringify(found, null, 2) : inWords(found));
      } finally {
        view.end();
        release();
      }
    });
}

function inWords({ name, directory, fetched, trainImages, testImages }: FetchedData): string {
  const images = `${whole(trainImages)} training and ${whole(testImages)} test images`;
  return `${name}: ${images} ${fetched ? 'fetched to' : 'are there already, in'} ${directory}`;
}

function whole(count: number): string {
  return count.toLocaleString('en-US');
}

/** Where there is no terminal, a line is written each time so large a share has come. */
const LINE_EVERY = 0.1;

/** Shows how far a fetch is: a bar on a terminal, some lines elsewhere. */
class FetchView {
  private readonly bar: Bar;
  private begun = false;
  private received = 0;
  /** When this call began to receive, and what it had then: for the time that is left. */
  private start: { readonly time: number; readonly received: number } | undefined;
  private linesShown = 0;

  constructor(
    private readonly stream: WriteStream,
    private readonly name: string,
  ) {
    this.bar = new Bar(stream);
  }

  show(progress: FetchProgress): void {
    switch (progress.kind) {
      case 'receiving':
        this.receiving(progress.received, progress.total);
        break;
      case 'waiting':
        this.start = undefined;
        this.bar.line(`  ${progress.reason}; trying again in ${seconds(progress.seconds)}`);
        break;
      case 'verifying':
        this.bar.line(`  ${mebibytes(this.received)} received; verifying`);
        break;
      case 'extracting':
        this.bar.line('  the sum is right; unpacking');
        break;
      case 'replacing':
        this.bar.line(`  what is there cannot be used and will be replaced: ${progress.reason}`);
        break;
    }
  }

  /** What to say when the user stops it. */
  stopped(): string {
    const kept = this.received > 0 ? ` after ${mebibytes(this.received)}, which are kept` : '';
    return `Stopped${kept}. This goes on:\n  ${shellWords(['edgeflex', ...process.argv.slice(2)])}`;
  }

  /** Removes the bar. */
  end(): void {
    this.bar.end();
  }

  private receiving(received: number, total: number | undefined): void {
    const now = performance.now();
    const again = received < this.received;
    if (this.start === undefined || again) {
      if (again) this.bar.line('  the server does not go on with that: from the beginning');
      else if (!this.begun) this.bar.line(this.beginning(received));
      this.begun = true;
      this.start = { time: now, received };
      this.linesShown = Math.floor(received / (total ?? Infinity) / LINE_EVERY);
    }
    this.received = received;
    const share = received / (total ?? Infinity);
    const rate = (received - this.start.received) / (now - this.start.time);
    const left = total !== undefined && rate > 0 ? `${seconds((total - received) / rate / 1000)} left` : NONE;
    const amount = `${mebibytes(received)} of ${total === undefined ? 'an unknown size' : mebibytes(total)}`;
    if (this.stream.isTTY) this.bar.show(share, amount, left);
    else if (share >= (this.linesShown + 1) * LINE_EVERY) {
      this.linesShown = Math.floor(share / LINE_EVERY);
      this.bar.line(`  ${amount}, ${left}`);
    }
  }

  private beginning(received: number): string {
    return `${this.name}: ${received > 0 ? `going on after ${mebibytes(received)}` : 'downloading'}`;
  }
}
