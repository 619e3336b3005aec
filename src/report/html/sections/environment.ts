import type { Analysis } from '../../../analysis/analysis.js';
import * as format from '../../../text/format.js';
import { profileOf, sessionsOf, type SessionFacts } from '../../../analysis/sessions.js';
import type { StoredDevice } from '../../../store/read.js';
import { facts } from '../grid.js';
import { deviceLabel } from '../../../analysis/label.js';
import { html, type Content, type Markup } from '../markup.js';
import { untoldText } from '../../../text/repository.js';
import { coresText, restrictionText } from '../../../text/environment.js';

/**
 * Where and how the run was measured: all that it takes to repeat it.
 *
 * @param analysis - of a run
 */
export function environment(analysis: Analysis): Markup {
  const { row, data, devices, plugins } = analysis.run;
  return html`<h3>Run</h3>
    ${facts([
      ['run', html`<code>${row.id}</code>`],
      ['suite', row.suite],
      ['command', html`<code>${row.command}</code>`],
      ['EdgeFlex', row.version],
      ['seed', row.seed],
      ['plan', html`<code>${row.plan_hash}</code>`],
      ['started', format.moment(row.started_at)],
      ['ended', row.ended_at === null ? 'not finished' : format.moment(row.ended_at)],
      [
        'dataset',
        `${data.name}: ${format.integer(data.testImages)} test images, ${data.labels.length} classes`,
      ],
      ['dataset SHA-256', html`<code>${data.hash}</code>`],
      ...plugins.map(
        ({ name, version, digest }) =>
          ['plug-in', html`${name} ${version ?? ''}, SHA-256 <code>${digest}</code>`] as const,
      ),
    ])}
    ${devices.map((device) => deviceFacts(device, analysis))}`;
}

type Gpu = NonNullable<StoredDevice['environment']['gpu']>;
type Fact = readonly [name: string, value: Content];

function deviceFacts(device: StoredDevice, { run }: Analysis): Markup {
  const {
    row,
    environment: { cpu, memoryBytes, virtual, os, node, versions, git, browser, gpu },
  } = device;
  const { kind, description } = profileOf(device);
  const megahertz = cpu.maxFrequency === null ? undefined : `${format.integer(cpu.maxFrequency)} MHz`;
  return html`<h3>Device ${deviceLabel(device)}</h3>
    ${facts([
      ['profile', [description, description && ' ', html`(${kind})`]],
      ['processor', [cpu.model, megahertz && `, at most ${megahertz}`]],
      ['instruction sets', cpu.features.join(', ')],
      ['cores', coresText(cpu)],
      ['usable', restrictionText(cpu) ?? 'all'],
      ['frequency governor', cpu.governor ?? 'not reported by the system'],
      ['memory', format.mebibytes(memoryBytes)],
      ['virtual machine or container', virtual ? 'yes' : 'no'],
      ['system', `${os.distribution} ${os.release}, kernel ${os.kernel}, ${os.platform} ${os.arch}`],
      ...(browser ? [['browser', `${browser.product}, ${browser.userAgent}`] as const] : []),
      ...(browser ? [['browser flags', html`<code>${browser.flags.join(' ')}</code>`] as const] : []),
      ...(gpu ? gpuFacts(gpu) : []),
      ['threads', row.threads],
      ...sessionsOf(device, run).map((session) => ['runtime', sessionText(session)] as const),
      ['Node.js', node],
      [
        'versions',
        Object.entries(versions)
          .map(([name, version]) => `${name} ${version}`)
          .join(', '),
      ],
      ['EdgeFlex commit', gitText(git)],
    ])}`;
}

function sessionText({ runtime, session, platform }: SessionFacts): Content {
  const options = Object.entries(session).map(([name, value]) => `${name} ${String(value)}`);
  return `${runtime.name} ${runtime.version}, ${runtime.provider}; ${options.join(', ')}; ${platform}`;
}

function gitText(git: StoredDevice['environment']['git']): Content {
  if (git === null) return 'not in a git checkout';
  if ('untold' in git) return untoldText(git);
  const { commit, dirty } = git;
  return html`<code>${commit}</code>${dirty ? html` <b>with uncommitted changes</b>` : ', clean'}`;
}

function gpuFacts({ vendor, architecture, device, description, software, features, limits }: Gpu): Fact[] {
  const names = [vendor, architecture, device, description].filter((name) => name !== '');
  const bytes = (name: string): string => format.mebibytes(limits[name] ?? NaN);
  return [
    ['GPU adapter', [names.join(', '), software ? html` <b>a software GPU</b>` : '']],
    ['GPU features', features.join(', ')],
    [
      'GPU limits',
      `buffers of ${bytes('maxBufferSize')}, bound as storage ${bytes('maxStorageBufferBindingSize')}, ` +
        `${limits['maxComputeInvocationsPerWorkgroup'] ?? 0} invocations a workgroup`,
    ],
  ];
}
