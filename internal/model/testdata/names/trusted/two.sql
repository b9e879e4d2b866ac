SELECT c.email, r.x FROM custmer_landing c JOIN other.readings r ON r.user = c.email JOIN customer_landing__rows w ON TRUE
