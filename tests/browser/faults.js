// What is wrong with the page that is shown, as a list.
const faults = [];
const all = selector => [...document.querySelectorAll(selector)];
const check = (right, fault, element) => {
  if (!right) faults.push(element ? `${fault}: ${element.outerHTML.slice(0, 200)}` : fault);
};

// It fits its window, and comes from this service alone.
const { scrollWidth, clientWidth } = document.documentElement;
check(scrollWidth <= clientWidth, `the page is ${scrollWidth} px wide, and its window ${clientWidth}`);
for (const { name } of performance.getEntriesByType('resource')) {
  check(new URL(name).origin === location.origin, `loads ${name}`);
}
check(all('script:not([src="/live.js"]), style, [style], iframe, img, object, embed').length === 0, 'has what the policy forbids');

// Its parts are known to who does not see them.
check(document.documentElement.lang === 'en', 'says no language');
check(document.title.endsWith(' – Energy service'), `is called ${document.title}`);
for (const one of ['main', 'h1', 'body > header']) check(all(one).length === 1, `${all(one).length} ${one}`);
const levels = all('h1, h2, h3, h4').map(heading => Number(heading.tagName[1]));
levels.forEach((level, index) => check(level <= (levels[index - 1] ?? 0) + 1, `a heading skips a level: ${levels}`));
const ids = all('[id]').map(element => element.id);
check(new Set(ids).size === ids.length, `an id twice: ${ids}`);
for (const attribute of ['aria-labelledby', 'aria-describedby']) {
  for (const element of all(`[${attribute}]`)) {
    for (const id of element.getAttribute(attribute).split(' ')) {
      check(document.getElementById(id)?.textContent.trim(), `${attribute} names nothing`, element);
    }
  }
}
for (const field of all('input:not([type=hidden]), select, textarea')) {
  check([...field.labels].some(label => label.textContent.trim()), 'no label', field);
}
for (const element of all('a, button, summary')) check(element.textContent.trim(), 'no name', element);
for (const element of all('a:not([href])')) check(false, 'leads nowhere', element);
for (const header of all('th')) check(header.scope, 'no scope', header);
for (const table of all('table')) check(table.caption?.textContent.trim(), 'no caption', table);
for (const navigation of all('nav')) check(navigation.ariaLabel, 'no label', navigation);
for (const image of all('svg')) {
  check(image.role === 'img' && image.querySelector('title')?.textContent && image.querySelector('desc')?.textContent,
    'says nothing', image);
}
for (const box of all('.scrolling')) check(box.tabIndex === 0 && box.role === 'region', 'scrolls without a keyboard', box);
check(all('[tabindex]').every(element => element.tabIndex <= 0), 'changes the order of the focus');

// Its texts are read: a contrast of 4.5 (WCAG 2.2, 1.4.3), as the standard computes it.
const colour = text => text.match(/[\d.]+/g).map(Number);
const luminance = rgb => {
  const [r, g, b] = rgb.slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = element => {
  for (; element; element = element.parentElement) {
    const found = colour(getComputedStyle(element).backgroundColor);
    if (found[3] === undefined || found[3] === 1) return found;
  }
  return [255, 255, 255];
};
let texts = 0;
for (const element of all('body *')) {
  const hasText = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
  const entered = element.matches('input, select');
  if (!hasText && !entered || element.closest('.unseen, .skip, title, desc, details:not([open]) > :not(summary)')) continue;
  const style = getComputedStyle(element);
  const ink = luminance(colour(element.closest('svg') ? style.fill : style.color));
  const paper = luminance(ground(element));
  const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  check(contrast >= 4.5, `a contrast of ${contrast.toFixed(2)}`, element);
  texts += 1;
}
check(texts > 2, 'there is nothing to read');

// And its smallest print is not too small, in the picture neither.
const written = all('svg text').filter(text => getComputedStyle(text).display !== 'none');
for (const text of written) {
  const scale = text.ownerSVGElement.getBoundingClientRect().width / text.ownerSVGElement.viewBox.baseVal.width;
  const size = parseFloat(getComputedStyle(text).fontSize) * scale;
  check(size >= 9.5, `letters of ${size.toFixed(1)} px`, text);
}
for (const text of written) {
  const box = text.getBBox(), view = text.ownerSVGElement.viewBox.baseVal;
  check(box.x >= 0 && box.x + box.width <= view.width && box.y >= 0 && box.y + box.height <= view.height, 'is cut off', text);
}
const labels = written.filter(text => text.closest('.times')).map(text => text.getBBox());
labels.forEach((box, index) => check(!index || labels[index - 1].x + labels[index - 1].width <= box.x, 'labels overlap'));
return faults;
