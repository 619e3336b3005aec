import { describe, expect, it } from 'vitest';
import { agentEnvironment, guideEnvironment } from '../../src/device/agent-environment.js';

const ours = {
  ...{ PATH: '/bin', HOME: '/root', LC_ALL: 'C', HF_TOKEN: 'hf_secret', AWS_SECRET_ACCESS_KEY: 'x' },
  ...{ SSH_AUTH_SOCK: '/tmp/agent', PGPASSWORD: 'secret', Path: 'C:\\' },
};

describe('the environment', () => {
  it('of an agent is made of variables by name', () => {
    expect(agentEnvironment({ TMPDIR: '/tmp/x' }, ours)).toEqual({
      ...{ PATH: '/bin', HOME: '/root', LC_ALL: 'C', Path: 'C:\\', TMPDIR: '/tmp/x' },
    });
  });

  it('of ssh has what its configuration may need, and no secret of ours', () => {
    const { PATH, HOME, LC_ALL, AWS_SECRET_ACCESS_KEY, SSH_AUTH_SOCK, Path } = ours;
    const rest = { PATH, HOME, LC_ALL, AWS_SECRET_ACCESS_KEY, SSH_AUTH_SOCK, Path };
    expect(guideEnvironment(ours)).toEqual(rest);
  });
});
