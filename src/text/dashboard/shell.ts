/** What the frame of the dashboard says: its navigation, its connection, what went wrong. */
export const shell = {
  product: 'EdgeFlex',
  navigation: 'Dashboard',
  pages: {
    overview: 'Overview',
    runs: 'Runs',
    compare: 'Compare',
    history: 'History',
    procure: 'Procure',
    queue: 'Queue',
    audit: 'Audit',
  },
  loading: 'Loading…',
  live: 'Live',
  connecting: 'Connecting…',
  lost: 'Connection lost: what you see may be out of date. Trying again…',
  resumed: 'Connected again. Everything is up to date.',
  signOut: 'Sign out',
  notFound: 'There is no such page',
  notFoundHint: 'The link may be of another version. The navigation above leads to every page.',
  failed: 'This page could not be loaded',
  retry: 'Try again',
  unreachable: 'The server does not answer. Check that "edgeflex serve" is still running, then try again.',
  noCode:
    'The code of this page does not arrive. Check that "edgeflex serve" is still running and whole, then load the page again.',
  noCharts:
    'The code that draws charts did not arrive. Load the page again to see them; the figures are here.',
  expected: (text: string) => `Expected: ${text}.`,
  store: (place: string, kind: string) => `${place} (${kind})`,
  who: (name: string | null, role: string) =>
    name === null ? `without a token, role ${role}` : `${name}, role ${role}`,
} as const;

/** What the page for signing in says. */
export const signIn = {
  title: 'Sign in',
  why: 'This server asks for a token. Whoever runs it makes one with "edgeflex serve token add"; it is kept in this tab only, until you close it.',
  token: 'Token',
  submit: 'Sign in',
  refused: 'This token is not known, or it was revoked.',
  empty: 'Enter a token.',
} as const;
