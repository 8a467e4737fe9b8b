// Documents as an application writes them for Relay: connections that page, objects that are fetched
// anew by their id, a mutation with refusals, a subscription. Only the compiler reads this.

import { graphql } from 'relay-runtime';

export const items = graphql`
  query shopItemsQuery($first: Int!, $after: String) {
    ...shopItems_query @arguments(first: $first, after: $after)
    serverTime
  }
`;

export const page = graphql`
  fragment shopItems_query on Query
  @refetchable(queryName: "shopItemsPageQuery")
  @argumentDefinitions(first: { type: "Int", defaultValue: 10 }, after: { type: "String" }) {
    items(first: $first, after: $after) @connection(key: "shop_items") {
      edges {
        node {
          id
          ...shopItem_item
        }
      }
    }
  }
`;

export const item = graphql`
  fragment shopItem_item on Item @refetchable(queryName: "shopItemRefetchQuery") {
    name
    price {
      amount
      currencyCode
    }
    stock {
      available
      version
    }
  }
`;

export const anything = graphql`
  query shopNodeQuery($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Order {
        number
        state
      }
      ...shopItem_item @alias(as: "item")
    }
  }
`;

export const orders = graphql`
  fragment shopOrders_viewer on Viewer
  @argumentDefinitions(first: { type: "Int", defaultValue: 10 }, after: { type: "String" }) {
    orders(first: $first, after: $after) @connection(key: "shop_orders") {
      edges {
        node {
          id
          number
          state
        }
      }
    }
  }
`;

export const mine = graphql`
  query shopOrdersQuery {
    viewer {
      ...shopOrders_viewer
    }
  }
`;

export const placeOrder = graphql`
  mutation shopPlaceOrderMutation($input: PlaceOrderInput!) {
    placeOrder(input: $input) {
      order {
        id
        state
      }
      userErrors {
        code
        message
        field
        ... on OutOfStock {
          available
        }
      }
    }
  }
`;

export const stock = graphql`
  subscription shopStockSubscription($itemIds: [ID!]!) {
    stockChanged(itemIds: $itemIds) {
      itemId
      stock {
        available
        version
      }
    }
  }
`;
