import { describe, expect, it } from 'vitest';
import { parseFailure, type CellFailure } from '../../src/protocol/failure.js';
import { failureText, reasonText } from '../../src/text/failures.js';

const failures: [CellFailure, string[]][] = [
  [{ kind: 'text', text: 'no memory' }, ['no memory']],
  [{ kind: 'device', text: 'no board' }, ['no board']],
  [
    { kind: 'file-refused', file: 'odd.onnx', place: 'node x', found: 'Strange', expected: 'a model' },
    ['odd.onnx', 'node x', 'Strange', 'a model'],
  ],
  [{ kind: 'link-lost', tries: 3, text: 'the link broke' }, ['the link broke', '3 times']],
  [{ kind: 'agent-failed', text: 'cannot' }, ['cannot']],
  [{ kind: 'no-kernels', text: 'no kernel' }, ['no kernel']],
  [{ kind: 'agent-ended', code: null, signal: 'SIGKILL', text: 'killed by SIGKILL' }, ['SIGKILL']],
  [{ kind: 'agent-silent', seconds: 300 }, ['300 s']],
  [{ kind: 'task-too-long', seconds: 1860 }, ['1860 s']],
  [{ kind: 'protocol-broken', text: 'a phase twice' }, ['protocol', 'a phase twice']],
  [{ kind: 'other-provider', opType: 'Cast', ran: 'A', asked: 'B' }, ['Cast', 'A', 'B']],
  [{ kind: 'kernels-missing', opType: 'QGemm', ran: 0, expected: 6 }, ['QGemm', '0', '6']],
  [{ kind: 'logits-not-finite', image: 7, logit: 2, found: 'NaN' }, ['image 7', 'logit 2', 'NaN']],
  [
    { kind: 'logits-differ', from: 'accuracy-pass', image: 7, logit: 2, here: 1.5, there: -1 },
    ['image 7', 'logit 2', '1.5', '-1', 'accuracy pass'],
  ],
  [
    { kind: 'logits-differ', from: 'local-cpu', image: 7, logit: 2, here: 'Infinity', there: null },
    ['Infinity', 'missing', "this machine's CPU"],
  ],
  [{ kind: 'weight-too-large', bytes: 200, most: 100 }, ['200', '100']],
  [{ kind: 'model-too-large', bytes: 200, most: 100 }, ['200', '100']],
  [{ kind: 'internal', text: 'x is not a function' }, ['internal', 'x is not a function']],
  [{ kind: 'not-timed', because: { kind: 'text', text: 'no memory' } }, ['not measured', 'no memory']],
];

describe('a failure', () => {
  it.each(failures)('is stored and read as it is, and named by its facts: %j', (failure, facts) => {
    const stored = JSON.stringify(failure);
    expect(parseFailure(stored)).toEqual(failure);
    for (const fact of facts) expect(reasonText(stored)).toContain(fact);
  });

  it.each(['the agent died', '{"kind":"of a later version"}', '{', 'null', '5'])(
    'that is stored in words is those words: %s',
    (stored) => {
      expect(reasonText(stored)).toBe(stored);
    },
  );

  it('that was not stored says so', () => {
    expect(reasonText(null)).toContain('no reason');
  });

  it('has no commands for a terminal in the words of others', () => {
    const text = '\u001b[2J\u001b]52;c;cm0=\u0007a\nb\u009bc';
    const said = failureText({ kind: 'not-timed', because: { kind: 'agent-failed', text } });
    expect(said).not.toMatch(/[^\P{Cc}\n]/u);
    expect(said).toContain('a\nb');
  });
});
