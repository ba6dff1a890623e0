// A small real LTI 1.3 tool built on ltijs, used to try Invigilator against
// a library that many tools run in production. Everything but the pages is what
// ltijs does by default; scores are sent by its own grade service.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import ltijs from 'ltijs'
import Database from 'ltijs-sequelize'

const lti = ltijs.Provider

const setting = (name, fallback) => process.env[name] || fallback

const port = Number(setting('PORT', '3000'))
if (!Number.isInteger(port) || port < 1 || port > 65535) {
  console.error(`PORT: not a port number: ${process.env.PORT}`)
  process.exit(2)
}

const platform = {
  url: setting('PLATFORM_ISSUER', 'https://platform.test'),
  name: 'Invigilator',
  clientId: setting('PLATFORM_CLIENT_ID', 'invigilator'),
  authenticationEndpoint: setting('PLATFORM_AUTH_URL', 'https://platform.test/auth?tenant=7'),
  accesstokenEndpoint: setting('PLATFORM_TOKEN_URL', 'http://localhost:8765/token'),
  authConfig: {
    method: 'JWK_SET',
    key: setting('PLATFORM_JWKS_URL', 'http://localhost:8765/jwks')
  }
}

// The other registrations that the features in invigilator.yaml are about.
const others = [
  {
    ...platform,
    clientId: setting('OTHER_CLIENT_ID', 'invigilator-2'),
    authenticationEndpoint: platform.authenticationEndpoint.replace('tenant=7', 'tenant=8')
  },
  {
    ...platform,
    url: setting('OTHER_PLATFORM_ISSUER', 'https://other-platform.test'),
    authenticationEndpoint: setting('OTHER_PLATFORM_AUTH_URL', 'https://other-platform.test/auth?tenant=7'),
    authConfig: { method: 'JWK_SET', key: setting('OTHER_PLATFORM_JWKS_URL', 'http://localhost:8765/other/jwks') }
  }
]

// The database lives as long as the process.
const directory = mkdtempSync(join(tmpdir(), 'invigilator-ltijs-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

let deployed = false
let stopping = false
const stop = async () => {
  if (stopping) return
  stopping = true
  try {
    if (deployed) await lti.close({ silent: true })
  } catch (err) {
    console.error(err)
    process.exit(1)
  }
  process.exit(0)
}
process.on('SIGTERM', stop)
process.on('SIGINT', stop)

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escape = value => String(value ?? '').replace(/[&<>"']/g, c => escapes[c])

const document = (title, main) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
${main}
</html>
`

// The forms lead on with ltijs's own token for the launch.
const form = (token, ltik, path, content) =>
  token.platformContext.endpoint ? `<form method="post" action="/${path}?ltik=${encodeURIComponent(ltik)}">${content}</form>` : ''

const isInstructor = token => [].concat(token.platformContext.roles ?? []).some(role => role.endsWith('#Instructor'))

const page = (token, ltik) => {
  const { roles, resource } = token.platformContext
  return document('Resource', `<main id="resource">
<h1>${escape(resource?.title)}</h1>
<p>User: <span id="user">${escape(token.user)}</span></p>
<p>Name: ${escape(token.userInfo?.name)}</p>
<p>Roles:</p>
<ul>
${[].concat(roles ?? []).map(role => `<li>${escape(role)}</li>`).join('\n')}
</ul>
${isInstructor(token)
    ? form(token, ltik, 'rename', '<label>Title <input name="label"></label> <button id="rename">Rename</button>') +
      form(token, ltik, 'results', '<button id="read-results">Results</button>')
    : form(token, ltik, 'submit', '<textarea name="work"></textarea> <button id="submit">Hand in</button>')}
</main>`)
}

// Lists are followed to their end, and no further than this many pages.
const mostPages = 50

const pages = async function * (first, next) {
  let result = await first
  for (let n = 1; ; n++) {
    yield result
    if (!result.next || n === mostPages) return
    result = await next(result.next)
  }
}

// The launch names the line item, or it was made before, or it is made now.
const lineItemOf = async token => {
  const { lineitem } = token.platformContext.endpoint
  if (lineitem) return lineitem
  const first = lti.Grade.getLineItems(token, { resourceLinkId: true, tag: 'work' })
  for await (const { lineItems } of pages(first, url => lti.Grade.getLineItems(token, { url }))) {
    if (lineItems.length > 0) return lineItems[0].id
  }
  const made = await lti.Grade.createLineItem(token, { label: 'Work', scoreMaximum: 10, tag: 'work' }, { resourceLinkId: true })
  return made.id
}

lti.setup(
  randomBytes(32).toString('hex'), // signs cookies, encrypts stored keys
  {
    plugin: new Database('ltijs', 'ltijs', 'ltijs', {
      dialect: 'sqlite',
      storage: join(directory, 'ltijs.sqlite'),
      logging: false
    })
  },
  {
    appRoute: '/',
    loginRoute: '/login',
    cookies: { secure: true, sameSite: 'None' },
    devMode: false
  }
)

lti.onConnect((token, req, res) => res.type('html').send(page(token, res.locals.ltik)))

// What is done at a line item of the launch, and the page that tells of it.
const atLineItem = (path, done, act) => lti.app.post(`/${path}`, async (req, res) => {
  const { token } = res.locals
  res.type('html')
  try {
    if (!token.platformContext.endpoint) throw new Error('the platform offers no grades here')
    res.send(document(path, `<main id="${done}">${await act(token, await lineItemOf(token), req.body)}</main>`))
  } catch (err) {
    res.send(document(path, `<main id="failed">Not done: ${escape(err.message)}</main>`))
  }
})

atLineItem('submit', 'submitted', async (token, item) => {
  const now = new Date().toISOString()
  await lti.Grade.submitScore(token, item, {
    activityProgress: 'Submitted',
    gradingProgress: 'PendingManual',
    submission: { submittedAt: now }
  })
  return 'Your work has been handed in.'
})

atLineItem('rename', 'renamed', async (token, item, { label }) => {
  if (!isInstructor(token)) throw new Error('only instructors may do that')
  const known = await lti.Grade.getLineItemById(token, item)
  await lti.Grade.updateLineItemById(token, item, { ...known, label })
  return `It is called ${escape(label)} now.`
})

atLineItem('results', 'results', async (token, item) => {
  if (!isInstructor(token)) throw new Error('only instructors may do that')
  const rows = []
  for await (const { scores } of pages(lti.Grade.getScores(token, item), url => lti.Grade.getScores(token, item, { url }))) {
    rows.push(...scores.map(score => `<li>${escape(score.userId)}: ${escape(score.resultScore)} of ${escape(score.resultMaximum ?? 1)}</li>`))
  }
  return `<h1>Results</h1>\n<ul>${rows.join('\n')}</ul>`
})

// ltijs-sequelize reports its migrations with console.info; keep them quiet.
// When ltijs cannot deploy, it prints why and calls process.exit() itself.
const { info } = console
console.info = () => {}
process.exitCode = 1
await lti.deploy({ port, silent: true })
process.exitCode = 0
console.info = info
deployed = true

// ltijs adds a SIGINT handler of its own; one orderly stop is enough.
process.removeAllListeners('SIGINT')
process.on('SIGINT', stop)

try {
  for (const one of [platform, ...others]) await lti.registerPlatform(one)
} catch (err) {
  console.error(err)
  process.exit(1)
}

console.log(`listening on http://localhost:${port}`)
