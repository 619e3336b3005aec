import { once } from 'node:events';
import { Command, Option } from 'commander';
import { withoutControls } from '../../base/control.js';
import { messageOf } from '../../base/errors.js';
import { openLog } from '../../operations/log.js';
import { serve } from '../../serve/start.js';
import { collected, wholeNumber } from '../options/flags.js';
import { addLogOptions, portOf, type LogFlags } from '../options/log-options.js';
import { explained } from '../help.js';
import { placeOptions } from '../options/results.js';
import { openAddress } from '../output/open-page.js';
import { remark } from '../output/screen.js';
import { tokenCommand } from './serve-tokens.js';

interface Flags extends LogFlags {
  readonly results: string;
  readonly host: string;
  readonly port: number;
  readonly knownAs: readonly string[];
  readonly rate: number;
  readonly open?: true;
}

/** Where the dashboard is found unless told otherwise. */
const PORT = 8322;

/** Requests a minute: a page with sliders asks some times a second. */
const RATE = 1200;

/** `edgeflex serve`: the dashboard and its API. */
export function serveCommand(): Command {
  const [results, db] = placeOptions();
  const command = addLogOptions(new Command('serve'))
    .addOption(results)
    .addOption(db)
    .addOption(
      new Option('--host <address>', 'listen at this address; others than this machine need tokens').default(
        '127.0.0.1',
      ),
    )
    .addOption(
      new Option('--port <number>', 'listen at this port, 0 for any').argParser(portOf).default(PORT),
    )
    .addOption(
      new Option(
        '--known-as <host>',
        'a further name that the server is reached by, such as a proxy’s; repeatable',
      )
        .argParser(collected)
        .default([], 'none'),
    )
    .addOption(
      new Option('--rate <count>', 'requests a minute of one token, or one address without one')
        .argParser(wholeNumber)
        .default(RATE),
    )
    .option('--open', 'open the dashboard in your browser')
    .addCommand(tokenCommand())
    .action(async (flags: Flags) => {
      const { results: place, host, port, knownAs: names, rate, open } = flags;
      const log = await openLog(flags.log, flags.logLevel);
      const stop = new AbortController();
      const onSignal = (): void => {
        process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
        stop.abort();
      };
      process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
      const stopped = once(stop.signal, 'abort');
      const served = await serve(place, {
        ...{ host, port, names, requestsPerMinute: rate },
        log,
        failed: (error) => {
          log('error', withoutControls(messageOf(error)), { event: 'failure' });
        },
      });
      try {
        console.log(`Dashboard: ${served.url}`);
        remark(
          served.tokens
            ? 'Callers need a token. Ctrl-C stops the server.'
            : 'Whoever can use this machine can read it; changing anything takes a token. Ctrl-C stops the server.',
        );
        if (open) await openAddress(served.url);
        await stopped;
      } finally {
        process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
        await served.close();
      }
    });
  return explained(command, {
    notes: [
      'Reads results in a folder or, with --db, on a PostgreSQL server, where it also shows the queue, its devices and every run as it goes on. The page uses a JSON API, described at /api/v1/openapi.json.',
      'Logs what changes something and what was refused; with "--log-level debug" every request, with "--log json" as JSON for programs.',
      'By default only this machine reaches it, and only to read. As soon as there is a token, every caller needs one. Another --host is accepted only then. The connection is not encrypted: put a proxy with TLS in front of it, and give its name with --known-as.',
    ],
    examples: [
      ['edgeflex serve --open', 'the results of this folder, in your browser'],
      ['edgeflex serve token add --name ci --role submit', 'make a token; it is shown once'],
      ['edgeflex serve --db postgres://lab@db.example/edgeflex --host 0.0.0.0', 'for a lab, with tokens'],
    ],
  });
}
