/** What scrolls sideways can be reached by the keyboard, and what does not is no stop on the way. */
export const scrollBehaviour = `
const reachable = () => {
  for (const box of document.querySelectorAll('.scroll, .picture')) {
    const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    if (scrolls) box.setAttribute('tabindex', '0');
    else box.removeAttribute('tabindex');
  }
};
addEventListener('resize', reachable);
document.addEventListener('toggle', reachable, true);
new ResizeObserver(reachable).observe(document.body);
`;
