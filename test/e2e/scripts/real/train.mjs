// Least squares by hand, in Node.
import { writeFileSync } from 'node:fs'

const rows = Array.from({ length: 100 }, (_, x) => [x, 3 * x + 1 + Math.sin(x)])
let [slope, offset] = [0, 0]
for (let epoch = 1; epoch <= 5; epoch++) {
  for (let step = 0; step < 2000; step++) {
    const errors = rows.map(([x, y]) => slope * x + offset - y)
    slope -= 0.0002 * (errors.reduce((sum, error, at) => sum + error * rows[at][0], 0) / rows.length)
    offset -= 0.0002 * (errors.reduce((sum, error) => sum + error, 0) / rows.length)
  }
  const mse = rows.reduce((sum, [x, y]) => sum + (slope * x + offset - y) ** 2, 0) / rows.length
  console.log(JSON.stringify({ mse, epoch }))
}
writeFileSync('model.json', JSON.stringify({ slope, offset }))
