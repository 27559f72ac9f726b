// Sends requests over a fixed number of kept connections for some seconds, and prints what came back as JSON.
//   node load.js URL BODIES.json CONNECTIONS SECONDS
// BODIES.json is a list of bodies, sent in turn. Latency is from writing a request to the last byte of its answer.
import { readFileSync } from 'node:fs'
import http from 'node:http'

const [url, file, connections, seconds] = process.argv.slice(2)
const bodies = JSON.parse(readFileSync(file, 'utf8')).map((body) => Buffer.from(JSON.stringify(body)))
const agent = new http.Agent({ keepAlive: true, maxSockets: Number(connections) })
const { hostname, port, pathname } = new URL(url)
const latencies = []
const failures = {}
let next = 0

function ask() {
  const body = bodies[next++ % bodies.length]
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  return new Promise((resolve) => {
    const began = performance.now()
    const request = http.request({ agent, hostname, port, path: pathname, method: 'POST', headers }, (response) => {
      response.resume()
      response.on('end', () => resolve([response.statusCode, performance.now() - began]))
    })
    request.on('error', (error) => resolve([error.code ?? 'error', performance.now() - began]))
    request.end(body)
  })
}

async function connection(end) {
  while (performance.now() < end) {
    const [status, taken] = await ask()
    if (status === 200) latencies.push(taken)
    else failures[status] = (failures[status] ?? 0) + 1
  }
}

const began = performance.now()
await Promise.all(Array.from({ length: Number(connections) }, () => connection(began + Number(seconds) * 1000)))
const took = (performance.now() - began) / 1000
agent.destroy()
latencies.sort((a, b) => a - b)
const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? null
console.log(JSON.stringify({ perSecond: latencies.length / took, p50: at(0.5), p99: at(0.99), failures }))
