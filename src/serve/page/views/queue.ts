import type { z } from 'zod';
import { html, type Content, type Markup } from '../../../report/html/markup.js';
import { queuePage as words } from '../../../text/dashboard/queue.js';
import type { jobSchema } from '../../api/queue.js';
import type { Answer } from '../../api/routes.js';
import { announce } from '../announce.js';
import { call } from '../api.js';
import { confirmed } from '../confirm.js';
import { element, paced, show } from '../dom.js';
import { runLink } from '../links.js';
import type { View } from '../page.js';
import { ago, empty, field, problemMarkup, stateMark } from '../parts.js';
import { list } from '../table.js';
import { deviceKey, deviceList, keepDevice, type FleetDevice } from './devices.js';

type Job = z.output<typeof jobSchema>;
type Role = Answer<'session'>['role'];

/** Between two drawings, in milliseconds. */
const PACE = 500;
/** So many jobs are shown: what is further behind is counted. */
const MOST = 200;

/** The queue: what is worked on, what waits, what may be changed of it. */
export const queue: View = async ({ session, live, query, signal, show: showView, go }) => {
  if (!session.queue) {
    showView(words.title, empty(words.none));
    return;
  }
  const all = query.get('all') === 'true';
  const load = (): Promise<[Answer<'queue'>, Answer<'devices'>]> =>
    Promise.all([
      call<'queue'>('/queue', { query: { all: all ? 'true' : undefined }, signal }),
      call<'devices'>('/devices', { signal }),
    ]);
  const jobs = new Map<string, Job>();
  const fleet = new Map<string, FleetDevice>();
  const keep = ([{ jobs: found }, { fleet: devices }]: [Answer<'queue'>, Answer<'devices'>]): void => {
    jobs.clear();
    fleet.clear();
    for (const job of found) jobs.set(job.id, job);
    for (const device of devices ?? []) keepDevice(fleet, device);
  };
  keep(await load());
  const maySubmit = session.role !== 'read';
  showView(
    words.title,
    html`<section>
        <h2>${words.jobs}</h2>
        <label class="check"
          ><input type="checkbox" id="all" ${all ? html`checked` : ''} /> ${words.all}</label
        >
        <div id="jobs"></div>
      </section>
      <section>
        <h2>${words.devices}</h2>
        <div id="fleet"></div>
      </section>
      <section>
        <h2>${words.submit}</h2>
        ${maySubmit ? submitForm() : empty(words.mayNot)}
        <div id="outcome" role="status"></div>
      </section>`,
  );
  const draw = paced(
    () => {
      show(element('jobs'), jobTable([...jobs.values()], session.role));
      show(element('fleet'), deviceTable([...fleet.values()], session.role));
    },
    PACE,
    signal,
  );
  draw();
  const again = paced(
    () =>
      void load().then(
        (found) => {
          keep(found);
          draw();
        },
        // The connection is lost, which is shown.
        () => undefined,
      ),
    1000,
    signal,
  );
  live.on('reset', again, signal);
  live.on(
    'job',
    (job) => {
      const before = jobs.get(job.id);
      const ended = !['waiting', 'running'].includes(job.state);
      if (before?.state === 'running' && ended) announce(words.ended(job.run, job.place, job.state));
      if (ended && !all) jobs.delete(job.id);
      else jobs.set(job.id, job);
      draw();
    },
    signal,
  );
  live.on(
    'device',
    (device) => {
      keepDevice(fleet, device);
      draw();
    },
    signal,
  );
  live.on(
    'device gone',
    (device) => {
      fleet.delete(deviceKey(device));
      draw();
    },
    signal,
  );
  element('all').addEventListener('change', () => go(all ? '/queue' : '/queue?all=true', 'replace'));

  const told = async (work: () => Promise<string>): Promise<void> => {
    const outcome = element('outcome');
    try {
      show(outcome, html`<p class="banner done">${await work()}</p>`);
      again();
    } catch (error) {
      if (!signal.aborted) show(outcome, problemMarkup(error));
    }
  };
  const main = element('content');
  main.addEventListener(
    'click',
    (event) => {
      if (!(event.target instanceof Element)) return;
      const { job: id, device: key } = event.target.closest('button')?.dataset ?? {};
      const job = id === undefined ? undefined : jobs.get(id);
      const device = key === undefined ? undefined : fleet.get(key);
      if (job !== undefined)
        void confirmed(words.cancelSure(job.run, job.place), words.cancel, words.keep).then((sure) =>
          sure ? told(async () => words.cancelled((await cancelled(job.id)).cancelled)) : undefined,
        );
      if (device !== undefined)
        void confirmed(words.drainSure(device.name, device.worker), words.drain, words.keep).then((sure) =>
          sure ? told(async () => words.drained((await drained(device.name)).workers)) : undefined,
        );
    },
    { signal },
  );
  if (maySubmit) submitting(signal, again);
};

function cancelled(id: string): Promise<Answer<'cancel'>> {
  return call<'cancel'>(`/queue/${encodeURIComponent(id)}`, { method: 'DELETE' });
}

function drained(device: string): Promise<Answer<'drain'>> {
  return call<'drain'>(`/queue/devices/${encodeURIComponent(device)}/drain`, { method: 'POST' });
}

function jobTable(jobs: readonly Job[], role: Role): Markup {
  if (jobs.length === 0) return empty(words.noJobs);
  const { columns } = words;
  return html`${list<Job>(
    words.table,
    [
      { key: 'run', title: columns.run, of: ({ run }) => html`<a href="${runLink(run)}">${run}</a>` },
      { key: 'place', title: columns.place, align: 'right', of: ({ place }) => place },
      { key: 'suite', title: columns.suite, of: ({ suite }) => suite },
      { key: 'state', title: columns.state, wide: true, of: stateOf },
      { key: 'device', title: columns.device, wide: true, of: whereOf },
      { key: 'person', title: columns.person, of: ({ person }) => person },
      { key: 'priority', title: columns.priority, align: 'right', of: ({ priority }) => priority },
      { key: 'rounds', title: columns.rounds, align: 'right', of: ({ rounds }) => rounds },
      { key: 'submitted', title: columns.submitted, of: ({ submittedAt }) => ago(submittedAt) },
      ...(role === 'read'
        ? []
        : [
            {
              key: 'action',
              title: columns.action,
              of: ({ id, run, place, state }: Job): Content =>
                ['waiting', 'running'].includes(state)
                  ? html`<button
                      type="button"
                      data-job="${id}"
                      data-key="cancel ${id}"
                      aria-label="${words.cancelOf(run, place)}"
                    >
                      ${words.cancel}
                    </button>`
                  : '',
            },
          ]),
    ],
    jobs.slice(0, MOST),
  )}${jobs.length > MOST ? html`<p class="soft">${words.ahead(jobs.length - MOST)}</p>` : undefined}`;
}

function stateOf({ state, ahead, reason }: Job): Content {
  return html`${stateMark(state)}
  ${ahead === null ? '' : html`<span class="soft">${words.ahead(ahead)}</span>`}
  ${reason === null ? '' : html`<span class="soft">${reason}</span>`}`;
}

function whereOf({ device, needs, on, candidates, state }: Job): Content {
  if (on !== null) return words.on(on);
  const asked = device ?? (needs === '' ? words.anyDevice : words.needs(needs));
  return candidates === 0 && state === 'waiting'
    ? html`${asked} <span class="soft">(${words.noCandidate})</span>`
    : asked;
}

function deviceTable(devices: readonly FleetDevice[], role: Role): Markup {
  if (devices.length === 0) return empty(words.noDevices);
  const sorted = [...devices].sort((a, b) => a.name.localeCompare(b.name));
  if (role !== 'admin') return deviceList(words.deviceTable, sorted);
  return deviceList(words.deviceTable, sorted, [
    {
      key: 'action',
      title: words.columns.action,
      of: (device) =>
        html`<button
          type="button"
          data-device="${deviceKey(device)}"
          data-key="drain ${deviceKey(device)}"
          aria-label="${words.drainOf(device.name)}"
          ${device.state === 'draining' ? html`disabled` : ''}
        >
          ${words.drain}
        </button>`,
    },
  ]);
}

function submitForm(): Markup {
  return html`<form id="submit" class="stack">
    <p>${words.submitHow}</p>
    <label class="field"
      ><span>${words.file}</span> <input type="file" id="suite-file" accept=".yaml,.yml"
    /></label>
    <label class="field"
      ><span>${words.suite}</span> <textarea name="suite" rows="14" spellcheck="false" required></textarea>
    </label>
    <div class="filters">
      ${field('devices', words.wantedDevices, '', 'text', words.wantedHint)}
      ${field('needs', words.needsField, '', 'text', words.needsHint)}
      ${field('priority', words.priority, '0', 'number')}
    </div>
    <button type="submit" class="main">${words.send}</button>
  </form>`;
}

function submitting(signal: AbortSignal, done: () => void): void {
  const form = element('submit') as HTMLFormElement;
  const text = form.querySelector('textarea');
  const file = element('suite-file') as HTMLInputElement;
  file.addEventListener('change', () => {
    void file.files?.[0]?.text().then((content) => {
      if (text !== null) text.value = content;
    });
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const given = new FormData(form);
    const value = (name: string): string => {
      const each = given.get(name);
      return typeof each === 'string' ? each.trim() : '';
    };
    const devices = value('devices')
      .split(',')
      .map((each) => each.trim())
      .filter(Boolean);
    const outcome = element('outcome');
    const button = form.querySelector('button');
    if (button !== null) button.disabled = true;
    show(outcome, html`<p class="empty" aria-busy="true">${words.sending}</p>`);
    call<'submit'>('/queue', {
      method: 'POST',
      body: {
        suite: given.get('suite'),
        priority: Number(value('priority')),
        ...(devices.length > 0 ? { devices } : {}),
        ...(value('needs') === '' ? {} : { needs: [value('needs')] }),
      },
    })
      .then(
        ({ id, run, jobs }) => {
          show(
            outcome,
            html`<p class="banner done">
              ${words.sent(run, jobs)} <a href="${runLink(id)}">${words.watch}</a>
            </p>`,
          );
          done();
        },
        (error: unknown) => {
          if (!signal.aborted) show(outcome, problemMarkup(error));
        },
      )
      .finally(() => {
        if (button !== null) button.disabled = false;
      });
  });
}
