// Looks at a report from inside the page: an expression that tests evaluate there (no module, no types of Node).
;({
  unfold() {
    for (const each of document.querySelectorAll('details')) each.open = true
  },

  /** Width of the page and of the window. */
  widths: () => [document.documentElement.scrollWidth, window.innerWidth],

  /** Elements that stick out of the window. */
  outside: () =>
    [...document.querySelectorAll('main *')]
      .filter((each) => !each.closest('.hide, .is') && each.getBoundingClientRect().right > window.innerWidth + 0.5)
      .map((each) => `${each.tagName} ${each.textContent?.slice(0, 40)}`),

  /** Every text whose colour has a contrast below 4.5 to what is behind it (WCAG 2.2, 1.4.3). */
  poorContrasts() {
    const channels = (color) => (color.match(/[\d.]+/g) ?? []).map(Number)
    const luminance = (color) => {
      const [r, g, b] = channels(color).map((value) => {
        const share = value / 255
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const background = (element) => {
      for (let each = element; each !== null; each = each.parentElement) {
        const color = getComputedStyle(each).backgroundColor
        if (channels(color)[3] !== 0) return color
      }
      return 'rgb(255, 255, 255)'
    }
    const poor = new Map()
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const element = node.parentElement
      if (element === null || node.textContent.trim() === '' || element.closest('style, svg')) continue
      const [text, behind] = [getComputedStyle(element).color, background(element)]
      const [a, b] = [luminance(text), luminance(behind)]
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
      if (!(contrast >= 4.5))
        poor.set(`${text} on ${behind}`, `${contrast.toFixed(2)} ${node.textContent.slice(0, 30)}`)
    }
    return [...poor].map(([colors, what]) => `${colors}: ${what}`)
  },

  headings: () => [...document.querySelectorAll('h1,h2,h3,h4')].map((heading) => Number(heading.tagName.slice(1))),

  /** Drawings that a screen reader can neither name nor skip. */
  silentDrawings: () =>
    [...document.querySelectorAll('svg')]
      .filter((svg) => svg.getAttribute('aria-hidden') !== 'true' && !svg.getAttribute('aria-label'))
      .map((svg) => svg.outerHTML.slice(0, 80)),

  pageColor: () => getComputedStyle(document.body).backgroundColor,

  /** Folded parts that nobody sees. */
  folded: () =>
    [...document.querySelectorAll('details > :not(summary)')].filter((each) => !each.checkVisibility()).length,
})
