import type { z } from 'zod';
import { html } from '../../../report/html/markup.js';
import { overview as words, runList, runPage } from '../../../text/dashboard/runs.js';
import type { jobSchema } from '../../api/queue.js';
import type { Answer } from '../../api/routes.js';
import type { runSchema } from '../../api/runs.js';
import { announce } from '../announce.js';
import { call } from '../api.js';
import { element, paced, show } from '../dom.js';
import { runLink } from '../links.js';
import type { View } from '../page.js';
import { ago, empty, progress, stateMark } from '../parts.js';
import { list } from '../table.js';
import { deviceKey, deviceList, keepDevice, type FleetDevice } from './devices.js';

type Run = z.output<typeof runSchema>;
type Job = z.output<typeof jobSchema>;

const NEWEST = 10;
/** Between two drawings, in milliseconds: a fleet tells more than anybody reads. */
const PACE = 500;

/** What goes on now: running runs, the queue, devices, the newest runs. */
export const overview: View = async ({ session, live, signal, show: showView }) => {
  const load = async (): Promise<Known> => {
    const [going, newest, queue, devices] = await Promise.all([
      call<'runs'>('/runs', { query: { status: 'running', limit: 50 }, signal }),
      call<'runs'>('/runs', { query: { limit: NEWEST }, signal }),
      session.queue ? call<'queue'>('/queue', { signal }) : undefined,
      call<'devices'>('/devices', { signal }),
    ]);
    return known(going, newest, queue, devices);
  };
  let all = await load();
  showView(
    words.title,
    html`<section>
        <h2>${words.going}</h2>
        <div id="going"></div>
      </section>
      ${
        session.queue
          ? html`<section>
                <h2>${words.queue}</h2>
                <div id="queue"></div>
              </section>
              <section>
                <h2>${words.fleet}</h2>
                <div id="fleet"></div>
              </section>`
          : undefined
      }
      <section>
        <h2>${words.newest}</h2>
        <div id="newest"></div>
      </section>`,
  );
  const draw = paced(() => drawAll(all), PACE, signal);
  draw();
  live.on(
    'reset',
    () =>
      void load().then(
        (found) => {
          all = found;
          draw();
        },
        // The connection is lost again, which is shown.
        () => undefined,
      ),
    signal,
  );
  live.on(
    'run',
    (run) => {
      const before = all.runs.get(run.id);
      if (before?.state === 'running' && run.state !== 'running')
        announce(`${run.suite}: ${runPage.ended_(run.state)}`);
      all.runs.set(run.id, run);
      draw();
    },
    signal,
  );
  live.on(
    'job',
    (job) => {
      all.jobs.set(job.id, job);
      draw();
    },
    signal,
  );
  live.on(
    'device',
    (device) => {
      keepDevice(all.fleet, device);
      draw();
    },
    signal,
  );
  live.on(
    'device gone',
    (device) => {
      all.fleet.delete(deviceKey(device));
      draw();
    },
    signal,
  );
};

interface Known {
  readonly runs: Map<string, Run>;
  readonly jobs: Map<string, Job>;
  readonly fleet: Map<string, FleetDevice>;
}

function known(
  going: Answer<'runs'>,
  newest: Answer<'runs'>,
  queue: Answer<'queue'> | undefined,
  devices: Answer<'devices'>,
): Known {
  return {
    runs: new Map([...going.runs, ...newest.runs].map((run) => [run.id, run])),
    jobs: new Map((queue?.jobs ?? []).map((job) => [job.id, job])),
    fleet: new Map((devices.fleet ?? []).map((device) => [deviceKey(device), device])),
  };
}

function drawAll({ runs, jobs, fleet }: Known): void {
  const sorted = [...runs.values()].sort((a, b) => b.startedAt.localeCompare(a.startedAt));
  const going = sorted.filter(({ state }) => state === 'running');
  show(
    element('going'),
    going.length === 0
      ? empty(`${words.nothingGoes} ${words.howToStart}`)
      : html`<ul class="cards">
          ${going.map(
            (run) =>
              html`<li class="card">
                <a href="${runLink(run.id)}"><b>${run.suite}</b></a> <span class="soft">${run.name}</span>
                ${progress(run.cells.all - run.cells.pending, run.cells.all, runPage.progressLabel(run.suite))}
                <span class="soft">${run.devices.join(', ')} · ${ago(run.startedAt)}</span>
              </li> `,
          )}
        </ul>`,
  );
  const newest = sorted.slice(0, NEWEST);
  show(
    element('newest'),
    newest.length === 0
      ? empty(words.noRuns)
      : html`${list(
            words.newest,
            [
              {
                key: 'run',
                title: runList.columns.run,
                of: ({ id, suite, name }: Run) =>
                  html`<a href="${runLink(id)}">${suite}</a> <span class="soft">${name}</span>`,
              },
              { key: 'state', title: runList.columns.state, of: ({ state }) => stateMark(state) },
              { key: 'started', title: runList.columns.started, of: ({ startedAt }) => ago(startedAt) },
              {
                key: 'models',
                title: runList.columns.models,
                wide: true,
                of: ({ models }) => models.join(', '),
              },
              {
                key: 'devices',
                title: runList.columns.devices,
                wide: true,
                of: ({ devices }) => devices.join(', '),
              },
            ],
            newest,
          )}
          <p><a href="/runs">${words.all}</a></p>`,
  );
  if (document.getElementById('queue') === null) return;
  const count = (state: Job['state']): number =>
    [...jobs.values()].filter((job) => job.state === state).length;
  show(
    element('queue'),
    html`<p>
      ${words.queueLine(count('running'), count('waiting'))}. <a href="/queue">${words.toQueue}</a>
    </p>`,
  );
  const devices = [...fleet.values()].sort((a, b) => a.name.localeCompare(b.name));
  show(element('fleet'), devices.length === 0 ? empty(words.noFleet) : deviceList(words.fleet, devices));
}
