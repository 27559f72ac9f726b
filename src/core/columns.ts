/** What the name of a column says of it, where nobody has said more. */

/** Names of columns that name rows: `customer_id`, `uuid`, `orderId`, `index`. */
export const ID_NAME = /(?:^|[_\s.-])(?:id|uuid|guid|key|index)$|[a-z](?:ID|Id)$/i
