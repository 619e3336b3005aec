/**
 * The variables that programs need which are started on this machine: to be found, to find their libraries, fonts, drivers and
 * display, and to write their temporary files. Everything else, tokens above all, is none of an agent's business.
 */
const NAMES = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TZ', 'LANG', 'LANGUAGE', 'TMPDIR', 'TMP', 'TEMP'],
  // Node's own, with which users work around its defaults.
  ...['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS'],
  // Libraries and drivers.
  ...['LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'DYLD_FALLBACK_LIBRARY_PATH', 'CUDA_VISIBLE_DEVICES'],
  ...[
    'VK_ICD_FILENAMES',
    'VK_DRIVER_FILES',
    'VK_LAYER_PATH',
    'LIBGL_ALWAYS_SOFTWARE',
    'MESA_LOADER_DRIVER_OVERRIDE',
  ],
  // A window, where one is asked for.
  ...['DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'DBUS_SESSION_BUS_ADDRESS'],
  ...['XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'XDG_DATA_HOME', 'XDG_SESSION_TYPE'],
  ...['FONTCONFIG_FILE', 'FONTCONFIG_PATH'],
  // Windows.
  ...[
    'SYSTEMROOT',
    'SYSTEMDRIVE',
    'WINDIR',
    'COMSPEC',
    'PATHEXT',
    'USERPROFILE',
    'USERNAME',
    'APPDATA',
    'LOCALAPPDATA',
  ],
  ...['PROGRAMDATA', 'PROGRAMFILES', 'PROGRAMFILES(X86)', 'NUMBER_OF_PROCESSORS', 'PROCESSOR_ARCHITECTURE'],
]);

/**
 * The environment that an agent or a browser is started with: variables by name, and nothing else of ours.
 *
 * @param added - variables of its own
 * @param from - what to choose from
 */
export function agentEnvironment(
  added: Readonly<Record<string, string>>,
  from: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const chosen: Record<string, string> = {};
  for (const [name, value] of Object.entries(from)) {
    // Windows does not tell the case of names apart.
    if (value !== undefined && (NAMES.has(name.toUpperCase()) || name.startsWith('LC_')))
      chosen[name] = value;
  }
  return { ...chosen, ...added };
}

/** What EdgeFlex itself is given to get in somewhere: nothing that it starts has to know it. */
const OWN_SECRETS = ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'HUGGINGFACE_TOKEN', 'PGPASSWORD', 'DATABASE_URL'];

/**
 * The environment of a program of the user's that leads to a device, such as ssh with the proxies and agents of its configuration:
 * these need variables that nobody can foresee, and get all but our own secrets.
 *
 * @param from - ours
 */
export function guideEnvironment(from: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(from).filter(([name]) => !OWN_SECRETS.includes(name)));
}
