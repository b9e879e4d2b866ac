SELECT c.email, c.serialNumber AS Email FROM lake.customer_landing c
