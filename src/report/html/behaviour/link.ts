/**
 * Which variant is looked at, in the table and in all charts: the one that is pointed at, else the one that was chosen. Others listen
 * to `onSeries`.
 */
export const linkBehaviour = `
const series = { pointed: '', chosen: '', told: '' };
const listeners = [];
const onSeries = (listener) => listeners.push(listener);
const lookAt = (change) => {
  Object.assign(series, change);
  const name = series.pointed || series.chosen;
  if (name === series.told && !('chosen' in change)) return;
  series.told = name;
  for (const listener of listeners) listener(name);
};
`;
