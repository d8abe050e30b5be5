// Sets the reference up so that it asks nobody but this server.
const sources = [
  { title: 'Todo API', slug: 'api', url: '/openapi.json', default: true },
  {
    title: "The original's routes",
    slug: 'original',
    url: '/openapi-compat.json',
    servers: ['/api/v1', '/api'].map((path) => ({ url: window.location.origin + path })),
  },
]

// The reference brings its own colours; these have enough contrast for small text (WCAG 2.2, 1.4.3). Its small buttons
// become large enough to hit (2.5.8).
const style = `
  .light-mode {
    --scalar-color-1: #1b1b1f; --scalar-color-2: #3f3f46; --scalar-color-3: #52525b; --scalar-color-accent: #0b5cad;
    --scalar-color-green: #116329; --scalar-color-red: #b42318; --scalar-color-yellow: #7a4f01; --scalar-color-blue: #0b5cad;
    --scalar-color-orange: #963b0a; --scalar-color-purple: #6b3fb5; --scalar-link-color: #0b5cad;
  }
  .dark-mode {
    --scalar-color-1: #f4f4f5; --scalar-color-2: #d4d4d8; --scalar-color-3: #b4b4bd; --scalar-color-accent: #7cb8f2;
    --scalar-color-green: #6fd08c; --scalar-color-red: #ff9b91; --scalar-color-yellow: #f2c66d; --scalar-color-blue: #7cb8f2;
    --scalar-color-orange: #ffb185; --scalar-color-purple: #cbb2f5; --scalar-link-color: #7cb8f2;
  }
  .scalar-app button, .scalar-app input { min-width: 24px; min-height: 24px; }
  .scalar-app table input { min-width: 6rem; }
`

// What may be left out is left out until somebody fills it in: a filter that nobody chose would hide what is there.
const leaveOut = (parameter) => {
  const { default: usual, enum: words, items } = parameter.schema ?? {}
  const value = usual ?? words?.[0] ?? items?.enum?.[0]
  if (parameter.required || value === undefined) return
  parameter.examples ??= { default: { value, 'x-disabled': true } }
}
const loaded = async (source) => {
  const content = await (await fetch(source.url)).json()
  for (const path of Object.values(content.paths)) {
    for (const operation of Object.values(path)) operation.parameters?.forEach(leaveOut)
  }
  return { ...source, url: undefined, content }
}

const show = (sources) => window.Scalar.createApiReference('#reference', {
  sources,
  // Against the document's `/` the reference would build addresses with two slashes.
  servers: [{ url: window.location.origin, description: 'This server' }],
  customCss: style,
  agent: { disabled: true },
  mcp: { disabled: true },
  telemetry: false,
  withDefaultFonts: false,
  showDeveloperTools: 'never',
  hideClientButton: true,
  persistAuth: false,
  authentication: { preferredSecurityScheme: 'bearer' },
  defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' },
})
Promise.all(sources.map(loaded)).then(show)

// What scrolls must be reachable with the keyboard (2.1.1), and a button of pictures alone needs a name (4.1.2).
const scrolls = (element) =>
  ['auto', 'scroll'].includes(getComputedStyle(element).overflowX) || ['auto', 'scroll'].includes(getComputedStyle(element).overflowY)
const makeReachable = () => {
  for (const element of document.querySelectorAll('.overflow-x-auto, .overflow-auto, .overflow-y-auto, .endpoints')) {
    if (element.tabIndex < 0 && scrolls(element)) element.tabIndex = 0
  }
  for (const button of document.querySelectorAll('button[class*="copy-button"]:not([aria-label])')) {
    if (!button.innerText.trim()) button.setAttribute('aria-label', 'Copy')
  }
}
let isWaiting = false
new MutationObserver(() => {
  if (isWaiting) return
  isWaiting = true
  requestAnimationFrame(() => {
    isWaiting = false
    makeReachable()
  })
}).observe(document.body, { childList: true, subtree: true })
