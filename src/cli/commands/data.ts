import type { WriteStream } from 'node:tty';
import { Command } from 'commander';
import { fetchableNames, type FetchedData, type FetchProgress } from '../../data/fetch.js';
import { fetchImages } from '../../library/image-sets.js';
import { mebibytes, NONE, seconds } from '../../text/format.js';
import { Bar } from '../output/bar.js';
import { addCommand, checkCommand, listCommand } from './data-sets.js';
import { givenCommand } from '../options/given.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { stopOnSignal } from '../stop.js';

interface FetchFlags {
  readonly url?: string;
  readonly md5?: string;
  readonly json?: true;
}

/** `edgeflex data`: the images that commands know. */
export function dataCommand(): Command {
  const command = new Command('data')
    .addCommand(fetchCommand())
    .addCommand(addCommand())
    .addCommand(listCommand())
    .addCommand(checkCommand());
  return explained(command, { examples: ['edgeflex data fetch cifar10', 'edgeflex data list'] });
}

function fetchCommand(): Command {
  const command = new Command('fetch')
    .description('download a dataset into the cache, for all commands; continues an interrupted download')
    .argument('<name>', fetchableNames.join(', '))
    .option('--url <address>', 'a mirror of the official archive')
    .option('--md5 <sum>', "with --url: the archive's MD5 sum, if the mirror packed it differently")
    .option('--json', 'print the result as JSON')
    .action(async (name: string, flags: FetchFlags) => {
      const view = new FetchView(process.stderr, name);
      const { signal, release } = stopOnSignal(() => view.stopped());
      try {
        const job = fetchImages(name, { url: flags.url, md5: flags.md5, signal });
        for await (const progress of job) view.show(progress);
        const found = await job;
        view.end();
        if (flags.json) printJson('data fetch', found);
        else console.log(inWords(found));
      } finally {
        view.end();
        release();
      }
    });
  return explained(command, {
    notes: ['The cache is the folder EDGEFLEX_CACHE, or your user cache folder.'],
    examples: [
      ['edgeflex data fetch cifar10', '162 MiB from the official site, verified and unpacked'],
      ['edgeflex data fetch cifar100', '161 MiB; cifar100-coarse has the same images'],
      ['edgeflex data fetch cifar10 --url https://example.org/cifar-10-binary.tar.gz', 'from a mirror'],
    ],
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
        this.bar.line('  checksum OK, extracting');
        break;
      case 'replacing':
        this.bar.line(`  what is there cannot be used and will be replaced: ${progress.reason}`);
        break;
    }
  }

  /** What to say when the user stops it. */
  stopped(): string {
    const kept = this.received > 0 ? ` after ${mebibytes(this.received)}, which are kept` : '';
    return `Stopped${kept}. Continue with:\n  ${givenCommand()}`;
  }

  /** Removes the bar. */
  end(): void {
    this.bar.end();
  }

  private receiving(received: number, total: number | undefined): void {
    const now = performance.now();
    const again = received < this.received;
    if (this.start === undefined || again) {
      if (again) this.bar.line('  the server cannot resume the download: starting over');
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
    if (this.stream.isTTY) this.bar.show({ task: this.name, done: share, text: amount, left });
    else if (share >= (this.linesShown + 1) * LINE_EVERY) {
      this.linesShown = Math.floor(share / LINE_EVERY);
      this.bar.line(`  ${amount}, ${left}`);
    }
  }

  private beginning(received: number): string {
    return `${this.name}: ${received > 0 ? `continuing after ${mebibytes(received)}` : 'downloading'}`;
  }
}
