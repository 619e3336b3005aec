import type { WriteStream } from 'node:tty';
import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { fetchableNames, fetchDataset, type FetchedData, type FetchProgress } from '../data/fetch.js';
import { mebibytes, NONE, seconds } from '../report/format.js';
import { Interrupted } from './failure.js';

interface FetchFlags {
  readonly url?: string;
  readonly md5?: string;
  readonly json?: true;
}

/** `edgeflex data`: the datasets in the user's cache. */
export function dataCommand(): Command {
  return new Command('data')
    .description('get the images that a suite needs')
    .addCommand(fetchCommand())
    .exitOverride();
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
    .showHelpAfterError('(edgeflex data fetch --help shows how)')
    .exitOverride()
    .action(async (name: string, flags: FetchFlags) => {
      const stop = new AbortController();
      const view = new FetchView(process.stderr, name);
      const onSignal = (): void => {
        stop.abort(new Interrupted(view.stopped()));
      };
      process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
      try {
        const found = await fetchDataset(name, {
          url: flags.url,
          md5: flags.md5,
          signal: stop.signal,
          onProgress: (progress) => view.show(progress),
        });
        view.end();
        console.log(flags.json ? JSON.stringify(found, null, 2) : inWords(found));
      } finally {
        view.end();
        process.removeListener('SIGINT', onSignal).removeListener('SIGTERM', onSignal);
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
  private bar: SingleBar | undefined;
  private begun = false;
  private received = 0;
  /** When this call began to receive, and what it had then: for the time that is left. */
  private start: { readonly time: number; readonly received: number } | undefined;
  private linesShown = 0;

  constructor(
    private readonly stream: WriteStream,
    private readonly name: string,
  ) {}

  show(progress: FetchProgress): void {
    switch (progress.kind) {
      case 'receiving':
        this.receiving(progress.received, progress.total);
        break;
      case 'waiting':
        this.start = undefined;
        this.line(`  ${progress.reason}; trying again in ${seconds(progress.seconds)}`);
        break;
      case 'verifying':
        this.line(`  ${mebibytes(this.received)} received; verifying`);
        break;
      case 'extracting':
        this.line('  the sum is right; unpacking');
        break;
      case 'replacing':
        this.line(`  what is there cannot be used and will be replaced: ${progress.reason}`);
        break;
    }
  }

  /** What to say when the user stops it. */
  stopped(): string {
    const kept = this.received > 0 ? ` after ${mebibytes(this.received)}, which are kept` : '';
    return `Stopped${kept}. This goes on:\n  edgeflex ${process.argv.slice(2).join(' ')}`;
  }

  /** Removes the bar. */
  end(): void {
    this.bar?.stop();
    this.bar = undefined;
  }

  private receiving(received: number, total: number | undefined): void {
    const now = performance.now();
    const again = received < this.received;
    if (this.start === undefined || again) {
      if (again) this.line('  the server does not go on with that: from the beginning');
      else if (!this.begun) this.line(this.beginning(received));
      this.begun = true;
      this.start = { time: now, received };
      this.linesShown = Math.floor(received / (total ?? Infinity) / LINE_EVERY);
    }
    this.received = received;
    const share = received / (total ?? Infinity);
    const rate = (received - this.start.received) / (now - this.start.time);
    const left = total !== undefined && rate > 0 ? `${seconds((total - received) / rate / 1000)} left` : NONE;
    const amount = `${mebibytes(received)} of ${total === undefined ? 'an unknown size' : mebibytes(total)}`;
    if (this.stream.isTTY) this.draw(share, amount, left);
    else if (share >= (this.linesShown + 1) * LINE_EVERY) {
      this.linesShown = Math.floor(share / LINE_EVERY);
      this.line(`  ${amount}, ${left}`);
    }
  }

  private beginning(received: number): string {
    return `${this.name}: ${received > 0 ? `going on after ${mebibytes(received)}` : 'downloading'}`;
  }

  private draw(share: number, amount: string, left: string): void {
    if (this.bar === undefined) {
      this.bar = new SingleBar({
        stream: this.stream,
        format: '{bar} {percentage} %  {amount}  {left}',
        barsize: 24,
        clearOnComplete: true,
        hideCursor: true,
        linewrap: null,
        gracefulExit: false,
      });
      this.bar.start(1, 0, { amount, left });
    }
    this.bar.update(share, { amount, left });
  }

  private line(text: string): void {
    this.end();
    this.stream.write(`${text}\n`);
  }
}
