// What every script of ours on the page needs.

export const element = (name, className, more = {}) => Object.assign(document.createElement(name), { className }, more);

/** Whether the reader wants less motion. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
