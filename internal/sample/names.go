package sample

import "strings"

// Names are written as in the address book; the part behind a bar is how they stand in an e-mail address if that is not
// the same in lower case.
var (
	firstNames = strings.Fields(`
		Adaeze Agnes Aiko Alma Amara Amos Anika Anouk Arlo Asta Astrid Bashir Beatrix Bela Bjarne Bruno
		Callum Carmen Cecily Chidi Clara Cleo Cosima Dagny Dario Deepa Desmond Dimitri Dora Ebba Edgar Eero
		Eleni Elif Elio Emeka Enid Esra Etta Farah Felix Femke Fern Fiona Flora Freya Gaia Gideon
		Greta Gustav Hana Harriet Hedda Hugo Ida Ignacio Ilse Imani Inés|ines Ingrid Isolde Ivo Jalil Jasper
		João|joao Jonas Juno Kaito Kamal Kasper Keziah Kirsi Lakshmi Lars Leif Leonie Lior Livia Lorenzo Lucia
		Mabel Magnus Malik Maren Marta Mateo Milena Mina Moira Nadia Naoki Nils Noor Nuria Odile Olga
		Omar Orla Oskar Otis Paloma Pavel Petra Piet Priya Quentin Rafael Ramona Renzo Rosalind Ruben Runa
		Saskia Selma Silas Sofie Soren Stellan Sunniva Tamsin Tariq Teodor Thandi Tilda Tobias Ulla Umar Ursel
		Valentin Vera Viggo Wanda Wendel Wilma Xenia Yara Yusuf Yvette Zahra Zelda Zoltan Zoë|zoe Jörg|joerg Renée|renee Åsa|asa`)
	lastNames = strings.Fields(`
		Abernathy Achterberg Adeyemi Ahlgren Albrecht Almeida Amsel Anand Appelbaum Arkwright Aslan Avramov
		Baptiste Barendse Baumgart Bellamy Berglund Birdsong Blackwood Bonnet Brandvold Brightwater Bruun Buchholz
		Calloway Castellano Chandra Cheswick Cordero Crabtree Czerny Dalgaard Dampier Dekker Delacroix Diallo
		Dombrowski Drummond Duarte Eastwick Ekström|ekstroem Elsworth Engström|engstroem Espinoza Fairweather Falk Farouk Featherstone Ferreira
		Fitzroy Fonseca Forsberg Fujita Galanis Ganesan Garrick Gessner Goldwater Gotlieb Grimaldi Gyllen
		Haddad Halvorsen Hargrove Hartmann Hawthorne Heikkinen Hollister Honda Horvath Idowu Ishikawa Ivanova
		Jankowski Jardine Jelinek Jimenez Kaminski Karlsen Kavanagh Keller Kimathi Kingsley Kowalczyk Kurosawa
		Lagerlöf|lagerloef Lancaster Larkspur Lindqvist Lockwood Lombardi Lundgren MacAllister Magalhaes Mandeville Marchetti Matsuda
		Mbeki Merriweather Mistry Montague Moreau Müller|mueller Nakagawa Nightingale Norwood Novotny Obi Okafor
		Oliveira Ostrander Palmgren Papadakis Pemberton Petrescu Pickering Pinheiro Quast Quigley Rahimi Ravenscroft
		Rinaldi Rosenthal Rutherford Saarinen Sandoval Sato Schuyler Sengupta Silverman Skov Stanhope Sundaram
		Takeda Tanaka Thackeray Thorne Tremblay Underhill Vanterpool Vasquez Venkatesan Villeneuve Vogel Wainwright
		Weatherby Westergaard Whitcombe Winterbourne Wyndham Yamada Yilmaz Zapata Zeller Zimmermann`)
	// Kept for examples by RFC 2606.
	mailHosts = []string{"example.com", "example.org", "example.net"}
	areaCodes = []string{"206", "303", "312", "404", "415", "503", "512", "602", "617", "702", "801", "917"}
)

// spelled gives a name of the lists as it is written and as it stands in an address.
func spelled(entry string) (name, mail string) {
	name, mail, has := strings.Cut(entry, "|")
	if !has {
		mail = strings.ToLower(name)
	}
	return name, mail
}
